/**
 * Which nodes live: by when each was heard last, on a clock that nobody sets.
 *
 *   silent for the suspicion time ──▶ suspected: no new tasks, not journaled, taken back with the next word
 *   silent for the death time ──▶ lost: journaled, its tasks go to others; when it is heard again, it is asked to join again
 *
 * L1. A node that the journal has as connected and that has not joined this master gets no tasks until it does (it may not even
 *     know this master); it has the death time for it.
 * L2. When this process itself stood still, or its way to the bus was broken, nobody could be heard: that time counts against no node.
 * L3. Of several processes with one name the one that was let in last is the node, and only its heartbeats count. Another one is
 *     refused as long as that one may live: for the suspicion time when it has the same disk (a restart), for the death time when
 *     it has another one.
 */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes } from "../bus/json.ts";
import { lastPart, nameOf } from "../bus/subjects.ts";
import { DiscoError } from "../errors.ts";
import type { Heartbeat, NodeHello } from "../protocol/messages.ts";
import { assertVersions } from "./node-versions.ts";

export interface LivenessParts {
  readonly bus: Bus;
  /** What the journal says of a node; `undefined`: nothing. */
  readonly node: (host: string) => KnownNode | undefined;
  /** Nodes that the journal has as connected. */
  readonly connected: () => readonly string[];
  /** No new tasks for it, or again. Called when that changes. */
  readonly suspect: (host: string, suspected: boolean) => void;
  readonly lose: (host: string, reason: string) => void;
  /** What a node says of itself, each time. */
  readonly heard?: (heartbeat: Heartbeat) => void;
  /** Asks it to join again. */
  readonly rejoin: (host: string) => void;
  readonly suspicionMs?: number;
  readonly deathMs?: number;
  /** Milliseconds, of a clock that only goes on. */
  readonly clock?: () => number;
}

export interface KnownNode {
  readonly incarnation: string;
  readonly connected: boolean;
}

/** Why a node is lost that has said that it goes. */
export const saidGoodbye = "it was stopped";
export const defaultSuspicionMs = 3_000;
export const defaultDeathMs = 15_000;
/** So often they are looked at in the suspicion time. */
const looksPerSuspicion = 10;

interface Heard {
  /** By the clock. */
  at: number;
  /** `null`: it has not joined this master. */
  session: string | null;
  suspected: boolean;
  heartbeat: Heartbeat | null;
  url: string | null;
}

export class Liveness {
  readonly #parts: LivenessParts;
  readonly #suspicionMs: number;
  readonly #deathMs: number;
  readonly #clock: () => number;
  readonly #heard = new Map<string, Heard>();
  readonly #stop: () => void;
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;
  #nodesVersion = 0;

  /** Begins with the nodes that the journal has as connected. */
  constructor(parts: LivenessParts) {
    const { bus, connected, suspect, suspicionMs = defaultSuspicionMs, deathMs = defaultDeathMs } = parts;
    this.#parts = parts;
    this.#suspicionMs = suspicionMs;
    this.#deathMs = deathMs;
    this.#clock = parts.clock ?? (() => performance.now());
    this.#lookedAt = this.#clock();
    for (const host of connected()) {
      this.#heard.set(host, { at: this.#lookedAt, session: null, suspected: true, heartbeat: null, url: null });
      suspect(host, true);
    }
    this.#stop = bus.subscribe("heartbeat.*", (bytes, subject) => {
      this.#hear(nameOf(lastPart(subject)), fromJsonBytes<Heartbeat>(bytes));
    });
    this.#timer = setInterval(() => this.look(), suspicionMs / looksPerSuspicion);
    this.#timer.unref();
  }

  /** Rises when `dataServers` would answer something else. */
  get nodesVersion(): number {
    return this.#nodesVersion;
  }

  /** Of nodes that have joined this master, by name. */
  dataServers(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#heard].flatMap(([host, { url, session }]) => (url === null || session === null ? [] : [[host, url]])),
    );
  }

  /** What the node said of itself last; `null`: nothing yet. */
  heartbeat(host: string): Heartbeat | null {
    return this.#heard.get(host)?.heartbeat ?? null;
  }

  /** Milliseconds since the node was heard; `null`: it is none of those that are watched. */
  silentForMs(host: string): number | null {
    const heard = this.#heard.get(host);
    return heard === undefined ? null : this.#clock() - heard.at;
  }

  isSuspect(host: string): boolean {
    return this.#heard.get(host)?.suspected ?? false;
  }

  /** @throws DiscoError `name-taken`, `version-mismatch` */
  admit({ host, session, incarnation, version }: NodeHello): void {
    assertVersions(host, version);
    const heard = this.#heard.get(host);
    const known = this.#parts.node(host);
    if (heard === undefined || known === undefined || !known.connected) return;
    if (heard.session !== null && heard.session === session) return;
    const sameDisk = known.incarnation === incarnation;
    // Of one that has not joined this master only the disk is known.
    if (heard.session === null && sameDisk) return;
    const silentMs = this.#clock() - heard.at;
    if (silentMs >= (sameDisk ? this.#suspicionMs : this.#deathMs)) return;
    throw new DiscoError(`there is a node with the name ${host} already, with ${sameDisk ? "this" : "another"} disk`, {
      code: "name-taken",
      retry: "here",
      node: host,
      hint: "Give this node a name of its own (--node), or stop the other one.",
    });
  }

  /** It was let in, and that is in the journal. */
  joined(hello: NodeHello): void {
    const { host, session = "" } = hello;
    const url = hello.url ?? null;
    const before = this.#heard.get(host);
    if (before?.url !== url || before.session === null) this.#nodesVersion++;
    this.#heard.set(host, { at: this.#clock(), session, suspected: false, heartbeat: before?.heartbeat ?? null, url });
    this.#parts.suspect(host, false);
  }

  /** It says goodbye. */
  left(host: string, session: string): void {
    if (this.#heard.get(host)?.session === session) this.#lose(host, saidGoodbye);
  }

  /** Of the process that is the node now (L3); `null`: none has joined this master. */
  session(host: string): string | null {
    return this.#heard.get(host)?.session ?? null;
  }

  /** A request to this process of the node was not answered in time. What was asked of an earlier one says nothing of the present one. */
  silent(host: string, session: string | null): void {
    const heard = this.#heard.get(host);
    if (heard !== undefined && heard.session === session) this.#suspect(host, heard, true);
  }

  /** Looks who was silent for how long. */
  look(): void {
    const now = this.#clock();
    const gap = now - this.#lookedAt;
    this.#lookedAt = now;
    if (gap > this.#suspicionMs / 2 || !this.#parts.bus.connected) {
      for (const heard of this.#heard.values()) heard.at += gap;
      return;
    }
    for (const [host, heard] of [...this.#heard]) {
      const silentMs = now - heard.at;
      if (silentMs >= this.#deathMs) {
        const seconds = Math.round(silentMs / 1_000);
        const what = heard.session === null ? "did not join after a change of master" : "was not heard";
        this.#lose(host, `it ${what} for ${seconds} s`);
      } else if (silentMs >= this.#suspicionMs) {
        this.#suspect(host, heard, true);
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stop();
  }

  #hear(host: string, heartbeat: Heartbeat): void {
    const heard = this.#heard.get(host);
    if (heard === undefined || this.#parts.node(host)?.connected !== true) {
      this.#parts.rejoin(host);
      return;
    }
    if (heard.session === null || heard.session === heartbeat.session) this.#parts.heard?.(heartbeat);
    if (heard.session === null) {
      // It lives, but gets tasks when it has said what it has; of itself it joins with the next notice.
      heard.heartbeat = heartbeat;
      return;
    }
    if (heard.session !== heartbeat.session) return;
    heard.at = this.#clock();
    heard.heartbeat = heartbeat;
    this.#suspect(host, heard, false);
  }

  #suspect(host: string, heard: Heard, suspected: boolean): void {
    if (heard.suspected === suspected) return;
    heard.suspected = suspected;
    this.#parts.suspect(host, suspected);
  }

  #lose(host: string, reason: string): void {
    this.#heard.delete(host);
    this.#nodesVersion++;
    this.#parts.suspect(host, false);
    this.#parts.lose(host, reason);
  }
}
