/** Runs built-in maps twice: by their kernels over chunks of bytes, and as the plain functions that they are over lines. */
import fc from "fast-check";
import { unknownHash } from "../../protocol/hash.ts";
import { type Lender, lend } from "../../schemes/scheme.ts";
import { type EmitPlan, makeEmitter } from "../emit.ts";
import { ownRecipe } from "../own.ts";
import { Progress } from "../progress.ts";
import { LineDecoder } from "../streams/lines.ts";
import { textBlockReader } from "./text-blocks.ts";
import { runVectorMap, vectorMap } from "./vector-map.ts";

export type Written = readonly [partition: number, key: unknown, value: unknown];
type PlainMap = (line: string, params?: unknown) => readonly (readonly [string, number])[];

export const planDefaults: EmitPlan = {
  partitions: 3,
  label: 7,
  partition: null,
  combiner: null,
  seed: 5,
  params: {},
  budgetBytes: 1_000_000,
};

/** The chunks in one piece of memory, each overwritten before the next one comes. */
function lent(chunks: readonly Uint8Array[]): Iterable<Uint8Array> & Lender {
  return {
    [Symbol.iterator]: () => chunks[Symbol.iterator](),
    *[lend]() {
      const memory = Buffer.alloc(Math.max(0, ...chunks.map(({ length }) => length)));
      for (const chunk of chunks) {
        memory.set(chunk);
        yield memory.subarray(0, chunk.length);
        memory.fill("overwritten ");
      }
    },
  };
}

/** What the kernels write, in order; each hash that comes along is checked. */
export function byKernel(
  map: PlainMap,
  chunks: readonly Uint8Array[],
  plan: EmitPlan,
): { written: Written[]; lines: number } {
  const vector = vectorMap({
    map,
    hasInit: false,
    chain: [],
    inputs: [{ replicas: ["raw://"], hosts: [""], size: 0, label: 0 }],
  });
  if (vector === null) throw new Error(`no kernel for ${ownRecipe(map)?.name}`);
  const written: Written[] = [];
  const output = {
    add: (partition: number, key: unknown, value: unknown, hash: number) => {
      if (
        hash !== unknownHash &&
        plan.partitions !== null &&
        plan.partition === null &&
        hash % plan.partitions !== partition
      ) {
        throw new Error(`hash ${hash} in partition ${partition}`);
      }
      written.push([partition, key, value]);
    },
  };
  const progress = new Progress(new Int32Array(1), { progress: () => {}, status: () => {} }, 0, "map");
  const emitter = makeEmitter(plan, output);
  const stream = textBlockReader(lent(chunks), 0, "raw://");
  // A synchronous stream: nothing to wait for.
  void runVectorMap(stream, { scan: vector.scan, plan, emitter, output, progress, onBatch: () => {} });
  emitter.flush();
  return { written, lines: progress.recordsIn };
}

/** What the plain function writes. */
export function byLine(
  map: PlainMap,
  chunks: readonly Uint8Array[],
  plan: EmitPlan,
): { written: Written[]; lines: number } {
  const decoder = new LineDecoder("raw://");
  const lines = [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
  const written: Written[] = [];
  const emitter = makeEmitter(plan, { add: (partition, key, value) => written.push([partition, key, value]) });
  for (const line of lines) for (const [key, value] of map(line)) emitter.emit(key, value);
  emitter.flush();
  return { written, lines: lines.length };
}

/** Bytes that matter to somebody: line ends, white space, separators, control characters, letters, and all the rest. */
const byte = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Buffer.from("ab x\n")) },
  { weight: 2, arbitrary: fc.constantFrom(...Buffer.from("\r\t,\v\f")) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 255 }) },
);

const piece = fc.oneof(
  { weight: 5, arbitrary: fc.array(byte, { maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => Buffer.from(text.replaceAll("\0", ""))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("word ", "\r\n", "error", "\ufffd", "\u2028", "é").map((text) => Buffer.from(text)),
  },
  // Several ways not to be UTF-8, which read as one text.
  {
    weight: 1,
    arbitrary: fc.constantFrom(" \xff ", " \xfe ", " \xef\xbf\xbd ").map((text) => Buffer.from(text, "latin1")),
  },
  { weight: 1, arbitrary: fc.integer({ min: 5, max: 40 }).map((n) => Buffer.alloc(n, "abcdefghi")) },
);

/** A text in chunks that end anywhere. It begins with a letter: what else a text may not begin with is `readers.test.ts`' matter. */
export const chunkedText = fc
  .tuple(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat({ max: 400 }), { maxLength: 6 }))
  .map(([pieces, cuts]) => {
    const bytes = Buffer.concat([Buffer.from("a"), ...pieces]);
    const at = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
    return [0, ...at].map((from, i) => Uint8Array.from(bytes.subarray(from, at[i] ?? bytes.length)));
  });
