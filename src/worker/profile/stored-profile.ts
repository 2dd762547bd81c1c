/**
 * The profile of one task as an out-of-band value: its call tree as JSON, compressed. A tenth of the standard format, which
 * has an object for each node and a number for each sample; `ProfileStats.toCpuProfile` makes that of it again.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { DiscoError } from "../../errors.ts";
import { CallTree, type Frame } from "./call-tree.ts";

export interface TaskProfileInfo {
  readonly stage: string;
  readonly task: number;
  readonly host: string;
  readonly intervalMicros: number;
}

export interface StoredProfile extends TaskProfileInfo {
  readonly tree: CallTree;
}

interface Written extends TaskProfileInfo {
  readonly format: typeof format;
  readonly version: number;
  readonly frames: readonly (readonly [name: string, url: string, line: number, column: number])[];
  /** In the tree's order, the root first. `lines`: a line, its samples, the next line … */
  readonly nodes: readonly (readonly [
    parent: number,
    frame: number,
    selfMicros: number,
    samples: number,
    ...lines: number[],
  ])[];
}

const format = "disco-profile";
const version = 1;
/** A task's own tree; the whole job's may be larger. */
export const taskNodesMax = 20_000;
/** Uncompressed. Twenty times what `taskNodesMax` nodes need as a rule. */
const jsonBytesMax = 32 * 1024 * 1024;

export function encodeProfile(tree: CallTree, info: TaskProfileInfo): Uint8Array {
  const written: Written = {
    format,
    version,
    ...info,
    frames: tree.frames.map(({ name, url, line, column }) => [name, url, line, column]),
    nodes: tree.parents.map((parent, node) => [
      parent,
      tree.frameOf[node] as number,
      tree.selfMicros[node] as number,
      tree.samples[node] as number,
      ...[...(tree.lines[node] ?? [])].flat(),
    ]),
  };
  return gzipSync(JSON.stringify(written), { level: 3 });
}

/** @throws DiscoError `bad-profile` for bytes that `encodeProfile` of this version has not made */
export function decodeProfile(bytes: Uint8Array, key: string): StoredProfile {
  let written: Partial<Written>;
  try {
    const json = gunzipSync(bytes, { maxOutputLength: jsonBytesMax }).toString();
    written = JSON.parse(json) as Partial<Written>;
  } catch (cause) {
    throw badProfile(key, "it is damaged", cause);
  }
  if (written?.format !== format) throw badProfile(key, "it is something else");
  if (written.version !== version) throw badProfile(key, "it was made by another version of disco-mapreduce");
  const { stage, task, host, intervalMicros, frames, nodes } = written;
  if (typeof stage !== "string" || typeof host !== "string" || !isCount(task) || !isCount(intervalMicros)) {
    throw badProfile(key, "it is damaged");
  }
  if (!Array.isArray(frames) || !frames.every(isFrame) || !Array.isArray(nodes) || !isTree(nodes, frames.length)) {
    throw badProfile(key, "it is damaged");
  }
  return { stage, task, host, intervalMicros, tree: treeOf(frames.map(frameOf), nodes) };
}

function treeOf(frames: readonly Frame[], nodes: Written["nodes"]): CallTree {
  const tree = new CallTree();
  const places: number[] = [];
  for (const [parent, frame, micros, samples, ...lines] of nodes) {
    const place = places.length === 0 ? 0 : tree.child(places[parent] as number, frames[frame] as Frame);
    places.push(place);
    const byLine = new Map<number, number>();
    for (let i = 0; i + 1 < lines.length; i += 2) byLine.set(lines[i] as number, lines[i + 1] as number);
    tree.add(place, micros, samples, byLine);
  }
  return tree;
}

function frameOf([name, url, line, column]: Written["frames"][number]): Frame {
  return { name, url, line, column };
}

function isFrame(frame: unknown): frame is Written["frames"][number] {
  if (!Array.isArray(frame)) return false;
  const [name, url, line, column] = frame as unknown[];
  return typeof name === "string" && typeof url === "string" && isCount(line) && isCount(column);
}

function isTree(nodes: readonly unknown[], frames: number): boolean {
  return nodes.every((node, i) => {
    if (!Array.isArray(node)) return false;
    const [parent, frame, ...counts] = node as unknown[];
    const isPlaced = i === 0 ? parent === -1 : isCount(parent) && parent < i;
    return isPlaced && isCount(frame) && frame < frames && counts.length >= 2 && counts.every(isCount);
  });
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function badProfile(key: string, why: string, cause?: unknown): DiscoError {
  return new DiscoError(`the out-of-band value ${key} is not a CPU profile: ${why}`, {
    code: "bad-profile",
    hint: "Run the job again with profile: true, with this version of disco-mapreduce.",
    ...(cause === undefined ? {} : { cause }),
  });
}
