/**
 * A node's place in the cluster: whom it follows, and whether that master has let it in.
 *
 *   leader's notice ──▶ of a later epoch, or of another start ──▶ join, with the attempts it has ──▶ welcome: serve, beat, report
 *                                                                   └── refused, no answer: again at the next notice
 *
 * M1. The highest epoch that was seen is kept: whoever speaks in the name of a lower one is refused (N1), and is not followed.
 * M2. One join at a time; what asks for one meanwhile has another one made after it.
 * M3. Who has left is silent: it neither joins nor beats any more.
 */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { CommError, DiscoError } from "../errors.ts";
import type { LeaderNotice, NodeHello, NodeWelcome } from "../protocol/messages.ts";
import type { MasterLink } from "./master-link.ts";

export interface MembershipParts {
  readonly bus: Bus;
  readonly master: MasterLink;
  /** Of this start of the node. */
  readonly session: string;
  readonly hello: () => Promise<NodeHello>;
  /** The master has let it in. */
  readonly joined: (welcome: NodeWelcome) => void;
  /** The master does not want it, or it cannot say what it has; it tries again with each notice until it is closed. */
  readonly refused?: ((error: DiscoError) => void) | undefined;
  /** Milliseconds that the answer to a join is waited for. Default 5 s. */
  readonly joinPatienceMs?: number;
}

/** What a master says to a node that it does not let in; anything else is an outage. */
const refusals = new Set([
  "name-taken",
  "version-mismatch",
  "node-unreachable",
  "bad-node",
  "forbidden",
  "other-cluster",
]);
/** It cannot even ask: its disks do not say which they are. */
export const unable = "node-unable";
/** An answer that was lost is not waited for: the next notice has it asked again. Well below the death time, which runs meanwhile. */
const defaultJoinPatienceMs = 5_000;
const leavePatienceMs = 2_000;
const nodesPatienceMs = 5_000;

export class Membership {
  readonly #parts: MembershipParts;
  readonly #stops: (() => void)[] = [];
  #epoch = 0;
  /** Instance of the master that has let it in. */
  #joinedTo: string | null = null;
  #joins = 0;
  #lastJoin: Promise<void> = Promise.resolve();
  #left = false;
  #masterUrl: string | null = null;
  #nodesVersion = 0;
  #dataServers: Readonly<Record<string, string>> = {};

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** The highest that was seen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Base URL of the master that leads; `null`: none is known. */
  get masterUrl(): string | null {
    return this.#masterUrl;
  }

  /** Base URLs of all nodes' data servers, by name, as the master told last. */
  get dataServers(): Readonly<Record<string, string>> {
    return this.#dataServers;
  }

  /** Listens for masters that lead, and joins them. */
  follow(): void {
    this.#stops.push(this.#parts.bus.subscribe("leader", (bytes) => this.#heard(fromJsonBytes<LeaderNotice>(bytes))));
  }

  /** Throws CommError `stale-epoch` for what a master says that is no longer in office. */
  assertEpoch(epoch: number): void {
    if (epoch < this.#epoch) {
      throw new CommError(`epoch ${epoch} is over, ${this.#epoch} was seen`, { code: "stale-epoch", retry: "never" });
    }
    this.#epoch = epoch;
  }

  /** Tells the master that it is there, and which attempts it has. @throws what the master answers */
  join(): Promise<void> {
    const before = this.#lastJoin;
    this.#joins++;
    const joining = (async () => {
      await before.catch(() => undefined);
      await this.#join();
    })().finally(() => this.#joins--);
    this.#lastJoin = joining;
    // Whoever called hears of it as well.
    joining.catch(() => undefined);
    return joining;
  }

  /** Tells the master that it goes, so that nobody waits for it. Resolves when that was heard, or could not be. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    const wasIn = this.#joinedTo !== null;
    this.close();
    if (!wasIn) return;
    const { master, session } = this.#parts;
    await master.ask("leave", toJsonBytes({ session }), leavePatienceMs).catch(() => undefined);
  }

  close(): void {
    this.#left = true;
    for (const stop of this.#stops.splice(0)) stop();
  }

  #heard(notice: LeaderNotice): void {
    const { epoch, instance, url, nodesVersion } = notice;
    if (this.#left || epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#masterUrl = url;
    this.#parts.master.lead(instance);
    if (this.#joinedTo !== instance) {
      // What a refusal is, `refused` was told; the rest passes, and there is another notice soon.
      if (this.#joins === 0) this.join().catch(() => undefined);
    } else if (nodesVersion !== this.#nodesVersion) {
      this.#nodesVersion = nodesVersion;
      this.#learnNodes().catch(() => (this.#nodesVersion = -1));
    }
  }

  async #learnNodes(): Promise<void> {
    const reply = await this.#parts.master.ask("nodes", toJsonBytes({}), nodesPatienceMs);
    this.#dataServers = fromJsonBytes<Record<string, string>>(reply);
  }

  /** @throws DiscoError `node-unable` */
  async #hello(): Promise<NodeHello> {
    try {
      return await this.#parts.hello();
    } catch (cause) {
      throw new DiscoError(`this node cannot say what it has: ${(cause as Error).message}`, {
        code: unable,
        cause,
        hint: "See to the disks of its root and its volumes. It asks again by itself, and ends when that lasts.",
      });
    }
  }

  async #join(): Promise<void> {
    const { master, joined, refused, joinPatienceMs = defaultJoinPatienceMs } = this.#parts;
    if (this.#left) return;
    try {
      const reply = await master.ask("join", toJsonBytes(await this.#hello()), joinPatienceMs);
      const welcome = fromJsonBytes<NodeWelcome>(reply);
      // Its master may have been followed by another meanwhile, which a notice has told of or will.
      if (this.#left || welcome.epoch < this.#epoch) return;
      this.#epoch = welcome.epoch;
      this.#joinedTo = master.instance;
      // Nodes that have not joined this master yet are where they were. It tells of all of them when it gives notice again, whatever number
      // its list has: each master counts for itself.
      this.#dataServers = { ...this.#dataServers, ...welcome.dataServers };
      this.#nodesVersion = -1;
      joined(welcome);
    } catch (error) {
      if (error instanceof DiscoError && (refusals.has(error.code) || error.code === unable)) {
        this.#joinedTo = null;
        refused?.(error);
      }
      throw error;
    }
  }
}
