/** What the master says to nodes, over the bus. */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import type { Assignment, AttemptId, DropScope, NodeState } from "../protocol/messages.ts";

const assignPatienceMs = 30_000;
/** A directory of a million files takes a while. */
const dropPatienceMs = 10 * 60_000;
const statePatienceMs = 5_000;

export class NodeLink {
  readonly #bus: Bus;

  readonly #holderOf: (host: string) => string;

  /** `holderOf`: the node that has the files of a node, should that one have another name by now. */
  constructor(bus: Bus, holderOf: (host: string) => string = (host) => host) {
    this.#bus = bus;
    this.#holderOf = holderOf;
  }

  async assign(host: string, epoch: number, assignments: readonly Assignment[]): Promise<void> {
    await this.#bus.request(`node.${host}.assign`, toJsonBytes({ epoch, assignments }), assignPatienceMs);
  }

  /** Lost: the attempt runs on for nothing, its report is refused. */
  cancel(host: string, attempts: readonly AttemptId[]): void {
    this.#bus.publish(`node.${host}.cancel`, toJsonBytes({ attempts }));
  }

  /** From now on it runs so many workers at most. Lost: it is told again when it joins. */
  resize(host: string, slots: number): void {
    this.#bus.publish(`node.${host}.resize`, toJsonBytes({ slots }));
  }

  /** As `stopJob`, and the node keeps the list of the job's out-of-band values, for tasks of later jobs. */
  async endJob(host: string, job: string, oob: Readonly<Record<string, string>>): Promise<void> {
    await this.#bus.request(`node.${host}.end-job`, toJsonBytes({ job, oob }), dropPatienceMs);
  }

  async stopJob(host: string, job: string): Promise<void> {
    await this.#bus.request(`node.${host}.stop-job`, toJsonBytes({ job }), dropPatienceMs);
  }

  async dropFiles(host: string, job: string, scope: DropScope): Promise<void> {
    const bytes = toJsonBytes({ job, scope, host });
    await this.#bus.request(`node.${this.#holderOf(host)}.drop-files`, bytes, dropPatienceMs);
  }

  async state(host: string): Promise<NodeState> {
    return fromJsonBytes<NodeState>(await this.#bus.request(`node.${host}.state`, toJsonBytes({}), statePatienceMs));
  }
}
