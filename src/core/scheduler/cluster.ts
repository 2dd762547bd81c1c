/**
 * The nodes as the master knows them: what they offer, and how much of it is taken.
 *
 * N1. `load` is the number of live attempts that jobs have on the node.
 * N2. `slots` is the number that the configuration has for the node, else what the node offers.
 * N3. A node has room if it is open and `load` is below slots × queue depth. Attempts that wait for input (`job/concurrent.ts`) hold
 *     their slots for who knows how long: both count without these slots, so that nothing is queued behind them.
 * N4. What the journal says of a node (`usable`) is all that events may be decided by. That it is silent just now, that its disk is
 *     full, or that it has not joined the master that took over (`open`), is known to this master alone: it only keeps new tasks off.
 */
import type { MasterSettings } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { type DiskSpace, isLow } from "./disk-reserve.ts";
import type { Health } from "./quarantine.ts";
import { Room } from "./room.ts";

export interface Node {
  readonly host: string;
  incarnation: string;
  /** Worker processes it may run at once: what it offers, unless the configuration says otherwise. */
  slots: number;
  /** What it offers. */
  offered: number;
  /** It was told a number of slots, so that it may have another one in mind than it offers: it is told again when it joins. */
  resized: boolean;
  queueDepth: number;
  labels: Readonly<Record<string, string>>;
  /** Base URL of its data server; `null`: on one machine, where files are read. */
  url: string | null;
  /** Of the process that joined last; `null`: it did not say. */
  session: string | null;
  connected: boolean;
  /** It is to be removed: nothing new starts there. */
  draining: boolean;
  /** What speaks against it; `null`: nothing. */
  health: Health | null;
  load: number;
  tasksOk: number;
  tasksFailed: number;
  dataErrors: number;
}

/** Whether tasks are given to a node, or the first thing that keeps them off. */
export type Standing = "open" | "lost" | "blacklisted" | "draining" | "quarantined" | "awaited" | "suspect" | "full";

/** Before an operator changes them. */
export const defaultSettings: MasterSettings = { maxFailureRate: 100, acceptNewJobs: true };

export class Cluster {
  epoch = 0;
  settings: MasterSettings = defaultSettings;
  readonly nodes = new Map<string, Node>();
  /** Host names, also of nodes that are not known (yet). */
  readonly blacklist = new Set<string>();
  /** Slots by host, as the operator wants them (N2). */
  readonly config = new Map<string, number>();
  /** Ends of attempts on all nodes, ever (`quarantine.ts`). */
  tasksOk = 0;
  tasksFailed = 0;
  /** Nodes in quarantine. */
  readonly quarantined = new Set<Node>();
  /** Nodes that were there when this master took over, and have not joined it yet. */
  readonly #awaited = new Set<string>();
  /** Nodes that have been silent for a while. */
  readonly #suspects = new Set<string>();
  /** Nodes whose disks are below their reserves. */
  readonly #full = new Set<string>();
  readonly #room = new Room();
  /** Nodes that have got room since the scheduler, which empties it, last looked. Some may be full again. */
  readonly gainedRoom = new Set<Node>();
  readonly #free = new Set<Node>();
  /** Attempts that wait for input, by host. */
  readonly #awaiting = new Map<string, number>();
  /** Slots of open nodes: what each counts for, and the sum. */
  readonly #counted = new Map<Node, number>();
  #slots = 0;
  /** Rises whenever an open node becomes another one to the scheduler: it opens or closes, or its slots or labels change. */
  changes = 0;

  node(host: string): Node | undefined {
    return this.nodes.get(host);
  }

  add(node: Node): void {
    this.nodes.set(node.host, node);
    if (node.health !== null && node.health.until > 0) this.quarantined.add(node);
    this.refresh(node.host);
  }

  /** The node has joined this master, or is given up: it is neither awaited nor suspected any more. */
  settle(host: string): void {
    this.#awaited.delete(host);
    this.#suspects.delete(host);
  }

  /** Nodes that are connected are to join this master, which has just taken over: until then they are given nothing. */
  awaitNodes(): void {
    for (const { host, connected } of this.nodes.values()) {
      if (!connected) continue;
      this.#awaited.add(host);
      this.refresh(host);
    }
  }

  /** Nodes that have not joined this master yet. */
  get awaited(): ReadonlySet<string> {
    return this.#awaited;
  }

  /** The node has been silent for a while (it is given nothing), or is heard again. */
  suspect(host: string, isSilent: boolean): void {
    if (isSilent === this.#suspects.has(host)) return;
    if (isSilent && this.nodes.get(host)?.connected === true) this.#suspects.add(host);
    else this.#suspects.delete(host);
    this.refresh(host);
  }

  /** What the node says of its disk: below its reserve it is given nothing. Answers whether that has changed. */
  noteDisk(host: string, space: DiskSpace): boolean {
    const wasLow = this.#full.has(host);
    const low = isLow(space, wasLow);
    if (low === wasLow) return false;
    if (low) this.#full.add(host);
    else this.#full.delete(host);
    this.refresh(host);
    return true;
  }

  standing(node: Node): Standing {
    if (!node.connected) return "lost";
    if (this.blacklist.has(node.host)) return "blacklisted";
    if (node.draining) return "draining";
    if (this.quarantined.has(node)) return "quarantined";
    if (this.#awaited.has(node.host)) return "awaited";
    if (this.#suspects.has(node.host)) return "suspect";
    return this.#full.has(node.host) ? "full" : "open";
  }

  /** Does nothing to a node that is connected. */
  forget(host: string): void {
    const node = this.nodes.get(host);
    if (node === undefined || node.connected) return;
    this.#counted.delete(node);
    this.gainedRoom.delete(node);
    this.changes++;
    this.quarantined.delete(node);
    this.settle(host);
    this.#full.delete(host);
    this.#awaiting.delete(host);
    this.nodes.delete(host);
  }

  /** `awaits`: the attempt waits for input. */
  occupy(host: string, awaits = false): void {
    this.#known(host).load++;
    if (awaits) this.#awaiting.set(host, this.awaiting(host) + 1);
    this.refresh(host);
  }

  /** `awaits`: it has waited for input to the end. */
  release(host: string, awaits = false): void {
    if (awaits) this.#fed(host);
    const node = this.#known(host);
    if (node.load === 0)
      throw new DiscoError(`node ${host} has more ends than starts of attempts`, { code: "impossible" });
    node.load--;
    this.refresh(host);
  }

  /** An attempt there does not wait for input any more. */
  fed(host: string): void {
    this.#fed(host);
    this.refresh(host);
  }

  /** Attempts on the node that wait for input. */
  awaiting(host: string): number {
    return this.#awaiting.get(host) ?? 0;
  }

  /** Hosts with attempts that wait for input. */
  get awaitingHosts(): ReadonlyMap<string, number> {
    return this.#awaiting;
  }

  /** To be called after any change to a node, its quarantine or the blacklist. */
  refresh(host: string): void {
    const node = this.nodes.get(host);
    if (node === undefined) return;
    const slots = this.open(node) ? node.slots : 0;
    const awaiting = this.#awaiting.size === 0 ? 0 : this.awaiting(host);
    if (node.load - awaiting >= (slots - awaiting) * node.queueDepth) this.#room.delete(node);
    else if (this.#room.put(node)) this.gainedRoom.add(node);
    if (node.load < slots) this.#free.add(node);
    else this.#free.delete(node);
    const counted = this.#counted.get(node) ?? 0;
    if (slots === counted) return;
    this.#slots += slots - counted;
    this.changes++;
    this.#counted.set(node, slots);
  }

  /** Brings a node's slots in line with the configuration (N2). To be called after any change to either. */
  resize(node: Node): void {
    node.slots = this.config.get(node.host) ?? node.offered;
    this.refresh(node.host);
  }

  /** As far as the journal says, it takes tasks (N4). */
  usable(node: Node): boolean {
    const { connected, draining, host } = node;
    return connected && !draining && !this.blacklist.has(host) && !this.quarantined.has(node);
  }

  /** It is given tasks now. */
  open(node: Node): boolean {
    const { host } = node;
    return this.usable(node) && !this.#awaited.has(host) && !this.#suspects.has(host) && !this.#full.has(host);
  }

  /** Nodes that can take another task, the least loaded first (N3). The array changes with the nodes. */
  withRoom(): readonly Node[] {
    return this.#room.nodes;
  }

  /** Nodes with a slot on which nothing runs and for which nothing is queued, the least loaded first. */
  free(): Node[] {
    return [...this.#free].sort(byLoad);
  }

  get anyFree(): boolean {
    return this.#free.size > 0;
  }

  /** Of all open nodes together. */
  get slots(): number {
    return this.#slots;
  }

  hasRoom(node: Node): boolean {
    return this.#room.has(node);
  }

  get anyRoom(): boolean {
    return this.#room.size > 0;
  }

  carries(node: Node, labels: Readonly<Record<string, string>>): boolean {
    for (const key in labels) if (node.labels[key] !== labels[key]) return false;
    return true;
  }

  #fed(host: string): void {
    const left = this.awaiting(host) - 1;
    if (left > 0) this.#awaiting.set(host, left);
    else this.#awaiting.delete(host);
  }

  #known(host: string): Node {
    const node = this.nodes.get(host);
    if (node === undefined)
      throw new DiscoError(`a task is assigned to ${host}, which never joined`, { code: "unknown-node" });
    return node;
  }
}

export function byLoad(a: Node, b: Node): number {
  return a.load * b.slots - b.load * a.slots || (a.host < b.host ? -1 : 1);
}
