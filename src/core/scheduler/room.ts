/**
 * The nodes that can take another task, the least loaded first, kept in order as loads change: a round of scheduling is begun with every
 * event, and sorting a thousand nodes each time would be most of its work.
 *
 * One array. A node is found by the load that it was entered with, in O(log nodes), and moved with a copy of pointers.
 */
import type { Node } from "./cluster.ts";

export class Room {
  readonly #nodes: Node[] = [];
  /** Attempts a slot, as they were when the node was put in its place. */
  readonly #loads = new Map<Node, number>();

  /** In order. It is the array itself, and changes with the loads. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get size(): number {
    return this.#nodes.length;
  }

  has(node: Node): boolean {
    return this.#loads.has(node);
  }

  /** Enters the node, or puts it where it belongs now. Says whether it is new. */
  put(node: Node): boolean {
    const load = node.load / node.slots;
    const before = this.#loads.get(node);
    if (before === load) return false;
    if (before !== undefined) this.#nodes.splice(this.#placeOf(node, before), 1);
    this.#nodes.splice(this.#placeOf(node, load), 0, node);
    this.#loads.set(node, load);
    return before === undefined;
  }

  delete(node: Node): void {
    const load = this.#loads.get(node);
    if (load === undefined) return;
    this.#nodes.splice(this.#placeOf(node, load), 1);
    this.#loads.delete(node);
  }

  /** Where it is, or where it would be. */
  #placeOf({ host }: Node, load: number): number {
    let from = 0;
    let to = this.#nodes.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const other = this.#nodes[middle] as Node;
      const otherLoad = this.#loads.get(other) as number;
      if (otherLoad < load || (otherLoad === load && other.host < host)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
