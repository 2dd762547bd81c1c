/**
 * What the master says to nodes, over the bus. Everything carries the master's epoch: a node that has heard of a later one refuses
 * it. Assignments are repeated while the node does not answer, as one that comes twice runs once (N3); but only those that are live
 * still: the node may have been lost meanwhile and have joined again, and would run them for nothing.
 *
 * While this master's own way to the bus is broken, no node is at fault: that time does not count.
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
  /** Of the process that is the node now; `null`: it is not known. */
  readonly session?: (host: string) => string | null;
  /** A try has failed: the node, as it was when it was asked, is told to be silent, and asked again. */
  readonly silent?: (host: string, session: string | null) => void;
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

  /** `isLive`: whether an assignment still is to be run there; with none that is, nothing is sent, and no failure is one. Default: all are. */
  async assign(
    host: string,
    epoch: number,
    assignments: readonly Assignment[],
    isLive: (assignment: Assignment) => boolean = () => true,
  ): Promise<void> {
    const { assignPatienceMs = defaultAssignPatienceMs, tryMs, session, silent } = this.#options;
    let until = performance.now() + assignPatienceMs;
    for (;;) {
      const live = assignments.filter(isLive);
      if (live.length === 0) return;
      const began = performance.now();
      const asked = session?.(host) ?? null;
      const leftMs = Math.max(1, until - began);
      try {
        const bytes = toJsonBytes({ epoch, assignments: live });
        await this.#bus.request(subject(host, "assign"), bytes, Math.min(tryMs ?? leftMs, leftMs));
        return;
      } catch (error) {
        if (!assignments.some(isLive)) return;
        const isDeaf = tryMs !== undefined && !this.#bus.connected;
        const passes = tryMs !== undefined && error instanceof CommError && passing.has(error.code);
        if (!isDeaf && (!passes || performance.now() + retryDelayMs >= until)) throw error;
        if (!isDeaf) silent?.(host, asked);
        await pause(retryDelayMs);
        if (isDeaf) until += performance.now() - began;
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
    await this.#patiently(subject(host, "end-job"), { job, oob });
  }

  async stopJob(host: string, job: string): Promise<void> {
    await this.#patiently(subject(host, "stop-job"), { job });
  }

  async dropFiles(host: string, job: string, scope: DropScope): Promise<void> {
    const holder = this.#options.holderOf?.(host) ?? host;
    await this.#patiently(subject(holder, "drop-files"), { job, scope, host });
  }

  async state(host: string): Promise<NodeState> {
    return fromJsonBytes<NodeState>(await this.#bus.request(subject(host, "state"), this.#bytes({}), statePatienceMs));
  }

  /** Again while this master's own way is broken: what is to be cleared up is not left for that. */
  async #patiently(to: string, message: object): Promise<void> {
    const until = performance.now() + dropPatienceMs;
    for (;;) {
      const leftMs = until - performance.now();
      try {
        await this.#bus.request(to, this.#bytes(message), leftMs);
        return;
      } catch (error) {
        const isBroken = error instanceof CommError && error.code === "bus-broken";
        if (!isBroken || performance.now() + retryDelayMs >= until) throw error;
        await pause(retryDelayMs);
      }
    }
  }

  #bytes(message: object): Uint8Array {
    const epoch = this.#options.epoch?.();
    return toJsonBytes(epoch === undefined ? message : { ...message, epoch });
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}

function subject(host: string, what: string): string {
  return `node.${part(host)}.${what}`;
}
