/**
 * A bounded call tree: who called whom, and how long each was on top of the stack. The profiles of a task's recordings are
 * folded into one, and those of a job's tasks into one again; none of both may grow with the length of the job.
 *
 * T1. A node comes after its parent: `parents[i] < i`. One walk from the end sums totals.
 * T2. No time is lost. When there are too many nodes, the lightest half of them goes, and its time stands at a node `(other)`
 *     below the place where it was cut off. What is heavy always stays: a node is never lighter than the nodes below it.
 * T3. Merging is by frame (name, file, line, column) along the path from the root.
 *
 * The order of calls in time is not kept: it would cost a number for each sample, and has no meaning over several tasks.
 */

/** A function as it was called. */
export interface Frame {
  readonly name: string;
  /** `file:` URL in the user's terms, `disco:worker/emit.ts`, `node:fs`; empty for what has no source. */
  readonly url: string;
  /** Where the function begins, 1-based; 0: unknown. */
  readonly line: number;
  readonly column: number;
}

/** Samples by 1-based line. */
export type LineSamples = ReadonlyMap<number, number>;

export const rootFrame: Frame = { name: "(root)", url: "", line: 0, column: 0 };
export const otherFrame: Frame = { name: "(other)", url: "", line: 0, column: 0 };

/** More than a person reads, less than 20 MB. */
export const treeNodesMax = 100_000;

/** So many frames that node and frame fit into one exact number together. */
const framesMax = 2 ** 24;

export class CallTree {
  readonly frames: Frame[] = [];
  readonly parents: number[] = [];
  /** Index in `frames`, for each node. */
  readonly frameOf: number[] = [];
  readonly selfMicros: number[] = [];
  readonly samples: number[] = [];
  /** Where in the function its samples were taken, where known. */
  readonly lines: (Map<number, number> | undefined)[] = [];
  readonly #nodesMax: number;
  readonly #frameIds = new Map<string, number>();
  readonly #children = new Map<number, number>();

  constructor(nodesMax = treeNodesMax) {
    this.#nodesMax = nodesMax;
    this.#push(-1, this.#frameId(rootFrame));
  }

  get size(): number {
    return this.parents.length;
  }

  /** The child of `parent` for a frame, made when it is not there. 0 is the root. */
  child(parent: number, frame: Frame): number {
    const id = this.#frameId(frame);
    const key = parent * framesMax + id;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const node = this.#push(parent, id);
    this.#children.set(key, node);
    return node;
  }

  add(node: number, micros: number, samples: number, lines?: LineSamples): void {
    this.selfMicros[node] = (this.selfMicros[node] ?? 0) + micros;
    this.samples[node] = (this.samples[node] ?? 0) + samples;
    if (lines === undefined || lines.size === 0) return;
    const mine = this.lines[node] ?? new Map<number, number>();
    this.lines[node] = mine;
    for (const [line, count] of lines) mine.set(line, (mine.get(line) ?? 0) + count);
  }

  merge(other: CallTree): void {
    const mine: number[] = [0];
    for (let node = 0; node < other.size; node++) {
      const at = node === 0 ? 0 : this.child(mine[other.parents[node] as number] as number, other.frame(node));
      mine[node] = at;
      this.add(at, other.selfMicros[node] as number, other.samples[node] as number, other.lines[node]);
    }
    this.shrink();
  }

  frame(node: number): Frame {
    return this.frames[this.frameOf[node] as number] as Frame;
  }

  /** Time of each node and of everything below it, in microseconds. */
  totals(): number[] {
    const totals = [...this.selfMicros];
    for (let node = totals.length - 1; node > 0; node--) {
      const parent = this.parents[node] as number;
      totals[parent] = (totals[parent] as number) + (totals[node] as number);
    }
    return totals;
  }

  /** Cuts a tree that is too large down to half of what it may have (T2). */
  shrink(): void {
    if (this.size <= this.#nodesMax) return;
    const totals = this.totals();
    const threshold = totals.toSorted((a, b) => b - a)[Math.floor(this.#nodesMax / 2)] as number;
    const kept = new CallTree(this.#nodesMax);
    /** For each node its place in `kept`; below a cut that of the `(other)` there. */
    const places: number[] = [0];
    const cut = new Set<number>();
    kept.add(0, this.selfMicros[0] as number, this.samples[0] as number, this.lines[0]);
    for (let node = 1; node < this.size; node++) {
      const parent = this.parents[node] as number;
      const place = places[parent] as number;
      const isCut = cut.has(parent) || (totals[node] as number) <= threshold;
      if (isCut) cut.add(node);
      const at = isCut
        ? cut.has(parent)
          ? place
          : kept.child(place, otherFrame)
        : kept.child(place, this.frame(node));
      places[node] = at;
      kept.add(at, this.selfMicros[node] as number, this.samples[node] as number, isCut ? undefined : this.lines[node]);
    }
    this.#become(kept);
  }

  #become(tree: CallTree): void {
    for (const name of ["frames", "parents", "frameOf", "selfMicros", "samples", "lines"] as const) {
      const column: unknown[] = this[name];
      column.length = 0;
      for (const value of tree[name]) column.push(value);
    }
    this.#frameIds.clear();
    for (const [key, id] of tree.#frameIds) this.#frameIds.set(key, id);
    this.#children.clear();
    for (const [key, node] of tree.#children) this.#children.set(key, node);
  }

  #frameId(frame: Frame): number {
    const key = `${frame.line}:${frame.column}:${frame.name}\n${frame.url}`;
    let id = this.#frameIds.get(key);
    if (id === undefined) {
      id = this.frames.length;
      this.frames.push(frame);
      this.#frameIds.set(key, id);
    }
    return id;
  }

  #push(parent: number, frame: number): number {
    const node = this.parents.length;
    this.parents.push(parent);
    this.frameOf.push(frame);
    this.selfMicros.push(0);
    this.samples.push(0);
    this.lines.push(undefined);
    return node;
  }
}
