/**
 * What the master says to nodes, over the bus. Everything carries the master's epoch: a node that has heard of a later one refuses
 * it. Assignments are repeated while the node does not answer, as one that comes twice runs once (N3).
 */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { part } from "../bus/subjects.ts";
import { CommError } from "../errors.ts";
import type { Assignment, AttemptId, DropScope, NodeState } from "../protocol/messages.ts";

export interface NodeLinkOptions {
  /** The node that has the files of a node, should that one have another name by now. */
  readonly holderOf?: (host: string) => string;
  /** Of the master, when it speaks. */
  readonly epoch?: () => number;
  /** Milliseconds for one try. Default: all the patience. */
  readonly tryMs?: number;
  /** Milliseconds after which a node that does not take assignments is given up. Default 30 s. */
  readonly assignPatienceMs?: number;
  /** A try has failed: the node is told to be silent, and asked again. */
  readonly silent?: (host: string) => void;
}

const defaultAssignPatienceMs = 30_000;
/** A directory of a million files takes a while. */
const dropPatienceMs = 10 * 60_000;
const statePatienceMs = 5_000;
const retryDelayMs = 200;
/** Those of a node that does not answer now and may do so later. */
const passing = new Set(["no-responder", "bus-timeout", "bus-broken"]);

export class NodeLink {
  readonly #bus: Bus;
  readonly #options: NodeLinkOptions;

  constructor(bus: Bus, options: NodeLinkOptions = {}) {
    this.#bus = bus;
    this.#options = options;
  }

  async assign(host: string, epoch: number, assignments: readonly Assignment[]): Promise<void> {
    const { assignPatienceMs = defaultAssignPatienceMs, tryMs, silent } = this.#options;
    const bytes = toJsonBytes({ epoch, assignments });
    const until = performance.now() + assignPatienceMs;
    for (;;) {
      const leftMs = Math.max(1, until - performance.now());
      try {
        await this.#bus.request(subject(host, "assign"), bytes, Math.min(tryMs ?? leftMs, leftMs));
        return;
      } catch (error) {
        const passes = tryMs !== undefined && error instanceof CommError && passing.has(error.code);
        if (!passes || performance.now() + retryDelayMs >= until) throw error;
        silent?.(host);
        await new Promise<void>((resolve) => setTimeout(resolve, retryDelayMs).unref());
      }
    }
  }

  /** Lost: the attempt runs on for nothing, its report is refused. */
  cancel(host: string, attempts: readonly AttemptId[]): void {
    this.#bus.publish(subject(host, "cancel"), this.#bytes({ attempts }));
  }

  /** From now on it runs so many workers at most. Lost: it is told again when it joins. */
  resize(host: string, slots: number): void {
    this.#bus.publish(subject(host, "resize"), this.#bytes({ slots }));
  }

  /** It is to join again, as the master does not count on it. Lost: it is told again when it is heard again. */
  rejoin(host: string): void {
    this.#bus.publish(subject(host, "rejoin"), this.#bytes({}));
  }

  /** As `stopJob`, and the node keeps the list of the job's out-of-band values, for tasks of later jobs. */
  async endJob(host: string, job: string, oob: Readonly<Record<string, string>>): Promise<void> {
    await this.#bus.request(subject(host, "end-job"), this.#bytes({ job, oob }), dropPatienceMs);
  }

  async stopJob(host: string, job: string): Promise<void> {
    await this.#bus.request(subject(host, "stop-job"), this.#bytes({ job }), dropPatienceMs);
  }

  async dropFiles(host: string, job: string, scope: DropScope): Promise<void> {
    const holder = this.#options.holderOf?.(host) ?? host;
    await this.#bus.request(subject(holder, "drop-files"), this.#bytes({ job, scope, host }), dropPatienceMs);
  }

  async state(host: string): Promise<NodeState> {
    return fromJsonBytes<NodeState>(await this.#bus.request(subject(host, "state"), this.#bytes({}), statePatienceMs));
  }

  #bytes(message: object): Uint8Array {
    const epoch = this.#options.epoch?.();
    return toJsonBytes(epoch === undefined ? message : { ...message, epoch });
  }
}

function subject(host: string, what: string): string {
  return `node.${part(host)}.${what}`;
}
