/** Nodes that will not come again: they are given up at once, and forgotten as soon as no active job may still read from them. */
import type { MasterEvent } from "../core/events.ts";
import type { MasterMachine } from "../core/master.ts";

export interface GoneNodesParts {
  /** The present state. */
  readonly machine: () => MasterMachine;
  readonly record: (events: readonly MasterEvent[]) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class GoneNodes {
  readonly #parts: GoneNodesParts;
  #isGone: (host: string) => boolean = () => false;

  constructor(parts: GoneNodesParts) {
    this.#parts = parts;
  }

  /** From now on these are gone. Returns those that were not lost yet. */
  giveUp(isGone: (host: string) => boolean, reason: string): string[] {
    const { machine, record, now } = this.#parts;
    this.#isGone = isGone;
    const nodes = [...machine().cluster.nodes.values()].filter((node) => node.connected && isGone(node.host));
    const hosts = nodes.map(({ host }) => host);
    if (hosts.length > 0) record(hosts.map((host) => ({ kind: "node-lost", at: now(), host, reason })));
    this.forget();
    return hosts;
  }

  /** To be called now and then, as jobs end. */
  forget(): void {
    const { machine, record, now } = this.#parts;
    const hosts = machine()
      .unneededNodes()
      .filter((host) => this.#isGone(host));
    if (hosts.length > 0) record(hosts.map((host) => ({ kind: "node-forgotten", at: now(), host })));
  }
}
