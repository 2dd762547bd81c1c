/** One recording of V8 into a call tree. */
import type { CallFrames } from "./call-frames.ts";
import type { CallTree } from "./call-tree.ts";
import type { V8Node, V8Profile } from "./recorder.ts";

export function foldRecording(recording: V8Profile, frames: CallFrames, tree: CallTree): void {
  const taken = timesOf(recording);
  const nodes = new Map(recording.nodes.map((node) => [node.id, node]));
  const root = recording.nodes[0];
  const waiting: [node: V8Node, place: number][] = root === undefined ? [] : [[root, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, place] = next;
    const { micros = 0, samples = 0 } = taken.get(node.id) ?? {};
    tree.add(place, micros, samples, frames.lines(node));
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child !== undefined) waiting.push([child, tree.child(place, frames.frame(child.callFrame))]);
    }
  }
  tree.shrink();
}

interface Taken {
  micros: number;
  samples: number;
}

/** What was on top of the stack in a sample is taken to have been there until the next sample. */
function timesOf({ startTime, endTime, samples = [], timeDeltas = [] }: V8Profile): Map<number, Taken> {
  const times = new Map<number, Taken>();
  let at = startTime;
  for (const [i, node] of samples.entries()) {
    at += timeDeltas[i] ?? 0;
    // Samples may be out of order by a hair.
    const micros = Math.max(0, i + 1 < samples.length ? (timeDeltas[i + 1] ?? 0) : endTime - at);
    const taken = times.get(node);
    if (taken === undefined) times.set(node, { micros, samples: 1 });
    else {
      taken.micros += micros;
      taken.samples += 1;
    }
  }
  return times;
}
