/**
 * A call tree in the standard format of V8's profiles, for Chrome's DevTools, speedscope and the like.
 *
 * The format is a list of samples in time. A merged tree has no time of its own, so its samples are laid out along the tree,
 * each call's side by side: what the viewers draw is a flame graph. A node has as many samples as were taken of it, which add up to
 * its time; only above `samplesMax` one stands for several.
 */
import type { CallTree } from "../../worker/profile/call-tree.ts";

export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** From one sample to the next, in microseconds; the first is counted from `startTime`. */
  readonly timeDeltas: readonly number[];
}

export interface CpuProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    /** From 0; -1: not known. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly hitCount: number;
  readonly children?: readonly number[];
  /** `line` counts from 1. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

const samplesMax = 500_000;

/** Children of the root that viewers treat in a way of their own, in the order in which they look right. */
const engineOrder = ["(program)", "(garbage collector)", "(idle)"];

export function cpuProfileOf(tree: CallTree): CpuProfile {
  const children = childrenOf(tree);
  const scriptIds = new Map<string, string>([["", "0"]]);
  const taken = tree.samples.reduce((sum, count) => sum + count, 0);
  const each = Math.max(1, Math.ceil(taken / samplesMax));
  const nodes: CpuProfileNode[] = [];
  const samples: number[] = [];
  /** How long each sample lasts. */
  const lasting: number[] = [];
  const waiting = [0];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { name, url, line, column } = tree.frame(node);
    let scriptId = scriptIds.get(url);
    if (scriptId === undefined) scriptIds.set(url, (scriptId = String(scriptIds.size)));
    const below = children[node] ?? [];
    const micros = tree.selfMicros[node] as number;
    const hitCount = micros === 0 ? 0 : Math.max(1, Math.round((tree.samples[node] as number) / each));
    const lines = tree.lines[node];
    const id = node + 1;
    nodes.push({
      id,
      callFrame: { functionName: name, scriptId, url, lineNumber: line - 1, columnNumber: column - 1 },
      hitCount,
      ...(below.length === 0 ? {} : { children: below.map((child) => child + 1) }),
      ...(lines === undefined || hitCount === 0 ? {} : { positionTicks: ticksOf(lines, each) }),
    });
    for (let i = 0; i < hitCount; i++) {
      samples.push(id);
      lasting.push(Math.floor((micros * (i + 1)) / hitCount) - Math.floor((micros * i) / hitCount));
    }
    for (const child of below.toReversed()) waiting.push(child);
  }
  // A sample lasts until the next one: the last needs one behind it.
  return {
    nodes,
    startTime: 0,
    endTime: lasting.reduce((sum, micros) => sum + micros, 0),
    samples: [...samples, 1],
    timeDeltas: [0, ...lasting],
  };
}

/** In the order of the tree, but for what is the engine's. */
function childrenOf(tree: CallTree): number[][] {
  const children: number[][] = [];
  for (let node = 1; node < tree.size; node++) (children[tree.parents[node] as number] ??= []).push(node);
  const rank = (node: number): number => {
    const at = engineOrder.indexOf(tree.frame(node).name);
    return at < 0 ? engineOrder.length : at;
  };
  children[0]?.sort((a, b) => rank(a) - rank(b));
  return children;
}

function ticksOf(lines: ReadonlyMap<number, number>, each: number): { line: number; ticks: number }[] {
  return [...lines]
    .sort(([a], [b]) => a - b)
    .map(([line, count]) => ({ line, ticks: Math.max(1, Math.round(count / each)) }));
}
