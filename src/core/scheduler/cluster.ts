/**
 * The nodes as the master knows them: what they offer, and how much of it is taken.
 *
 * N1. `load` is the number of live attempts that jobs have on the node.
 * N2. `slots` is the number that the configuration has for the node, else what the node offers.
 * N3. A node has room if it is connected, not blacklisted and `load` is below slots × queue depth.
 */
import type { MasterSettings } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";

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
  connected: boolean;
  load: number;
  tasksOk: number;
  tasksFailed: number;
  dataErrors: number;
}

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
  readonly #withRoom = new Set<Node>();
  readonly #free = new Set<Node>();
  /** Slots of usable nodes: what each counts for, and the sum. */
  readonly #counted = new Map<Node, number>();
  #slots = 0;

  node(host: string): Node | undefined {
    return this.nodes.get(host);
  }

  add(node: Node): void {
    this.nodes.set(node.host, node);
    this.refresh(node.host);
  }

  /** Does nothing to a node that is connected. */
  forget(host: string): void {
    const node = this.nodes.get(host);
    if (node === undefined || node.connected) return;
    this.#counted.delete(node);
    this.nodes.delete(host);
  }

  occupy(host: string): void {
    this.#known(host).load++;
    this.refresh(host);
  }

  release(host: string): void {
    const node = this.#known(host);
    if (node.load === 0)
      throw new DiscoError(`node ${host} has more ends than starts of attempts`, { code: "impossible" });
    node.load--;
    this.refresh(host);
  }

  /** To be called after any change to a node or to the blacklist. */
  refresh(host: string): void {
    const node = this.nodes.get(host);
    if (node === undefined) return;
    const slots = this.usable(node) ? node.slots : 0;
    if (node.load < slots * node.queueDepth) this.#withRoom.add(node);
    else this.#withRoom.delete(node);
    if (node.load < slots) this.#free.add(node);
    else this.#free.delete(node);
    const counted = this.#counted.get(node) ?? 0;
    if (slots === counted) return;
    this.#slots += slots - counted;
    this.#counted.set(node, slots);
  }

  /** Brings a node's slots in line with the configuration (N2). To be called after any change to either. */
  resize(node: Node): void {
    node.slots = this.config.get(node.host) ?? node.offered;
    this.refresh(node.host);
  }

  usable(node: Node): boolean {
    return node.connected && !this.blacklist.has(node.host);
  }

  /** Nodes that can take another task, the least loaded first (N3). */
  withRoom(): Node[] {
    return [...this.#withRoom].sort(byLoad);
  }

  /** Nodes with a slot on which nothing runs and for which nothing is queued, the least loaded first. */
  free(): Node[] {
    return [...this.#free].sort(byLoad);
  }

  get anyFree(): boolean {
    return this.#free.size > 0;
  }

  /** Of all usable nodes together. */
  get slots(): number {
    return this.#slots;
  }

  hasRoom(node: Node): boolean {
    return this.#withRoom.has(node);
  }

  get anyRoom(): boolean {
    return this.#withRoom.size > 0;
  }

  carries(node: Node, labels: Readonly<Record<string, string>>): boolean {
    for (const key in labels) if (node.labels[key] !== labels[key]) return false;
    return true;
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
