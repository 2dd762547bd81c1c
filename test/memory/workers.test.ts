/** A worker's peak memory depends on none of these: sizes of input, partition and output, numbers of keys, and of values of a key. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { kvgroup, type OutputStreamFactory } from "../../src/index.ts";
import { assertFlat, dataBytes, memoryLimitMB, mergeBytes } from "./peaks.test-kit.ts";

const valueChars = 480;
/** A record of a short key and a value of `valueChars`. */
const recordBytes = 512;
const records = dataBytes / recordBytes;
/** A record of a key and a number. */
const smallRecordBytes = 64;
const memoryLimit = memoryLimitMB;

/** Writes a file of lines of `recordBytes`. */
async function textFile(path: string, bytes: number): Promise<string> {
  await using file = await open(path, "w");
  const line = `${"text ".repeat(recordBytes)}`.slice(0, recordBytes - 1);
  const block = `${line}\n`.repeat(2 ** 11);
  for (let left = bytes; left > 0; left -= block.length) await file.write(block);
  return path;
}

/** A stream of the user's own format. */
const asLines: OutputStreamFactory = (stream) => ({ add: (key, value) => stream.write(`${key} ${value}\n`) });

/** Emits records under ever new keys, in no order. */
function* manyKeys(_line: string, params: { records: number; valueChars: number }): Generator<[string, string]> {
  for (let i = 0; i < params.records; i++) {
    yield [`key ${Math.imul(i, 0x9e3779b1) >>> 0}`, "x".repeat(params.valueChars) + i];
  }
}

function* oneKey(_line: string, params: { records: number; valueChars: number }): Generator<[string, string]> {
  for (let i = 0; i < params.records; i++) yield ["the key", "x".repeat(params.valueChars) + i];
}

/** Reads all and keeps nothing. */
function* countAll(pairs: Iterable<[string, unknown]>): Generator<[string, number]> {
  let count = 0;
  for (const _ of pairs) count++;
  yield ["records", count];
}

describe("a worker's peak memory", { timeout: 200_000 }, () => {
  test("does not depend on the length of the file that a map reads", () =>
    assertFlat(async (disco, times, scratch) =>
      disco.newJob("longfile", {
        input: [await textFile(join(scratch, `text-${times}`), dataBytes * times)],
        splitBytes: 0,
        map: (line) => (line.length === 3 ? [[line, 1] as const] : []),
        memoryLimit,
      }),
    ));

  test("does not depend on how much a map emits for one record, nor on the size of an unsorted partition", () =>
    assertFlat((disco, times) =>
      disco.newJob("emits", {
        input: ["raw://x"],
        params: { records: records * times, valueChars },
        map: manyKeys,
        partitions: 2,
        reduce: countAll,
        memoryLimit,
      }),
    ));

  test("does not depend on the size of a sorted partition", () =>
    assertFlat(
      (disco, times) =>
        disco.newJob("sorted", {
          input: ["raw://x"],
          params: { records: records * times, valueChars },
          map: manyKeys,
          sort: true,
          reduce: countAll,
          memoryLimit,
        }),
      mergeBytes,
    ));

  test("does not depend on the number of keys of a combiner", () =>
    assertFlat((disco, times) =>
      disco.newJob("combiner", {
        input: ["raw://x"],
        params: { records: (dataBytes / smallRecordBytes / 4) * times },
        *map(_line, params) {
          for (let i = 0; i < params.records; i++) yield [`key ${Math.imul(i, 0x9e3779b1) >>> 0}`, 1] as const;
        },
        combiner(key, n, buffer, done) {
          if (!done) buffer.set(key, (buffer.get(key) ?? 0) + n);
        },
        partitions: 2,
        reduce: countAll,
        memoryLimit,
      }),
    ));

  test("does not depend on the number of values of a key", () =>
    assertFlat(
      (disco, times) =>
        disco.newJob("onekey", {
          input: ["raw://x"],
          params: { records: records * times, valueChars },
          map: oneKey,
          sort: true,
          *reduce(pairs) {
            for (const [key, values] of kvgroup(pairs)) {
              yield [key, values.reduce((sum, value) => sum + value.length, 0)] as const;
            }
          },
          memoryLimit,
        }),
      mergeBytes,
    ));

  test("does not depend on the size of the results", () =>
    assertFlat((disco, times) =>
      disco.newJob("results", {
        input: ["raw://x"],
        params: { records: records * times, valueChars },
        map: manyKeys,
        partitions: 3,
        memoryLimit,
      }),
    ));

  test("does not depend on the size of results in a user's format", () =>
    assertFlat((disco, times) =>
      disco.newJob("format", {
        input: ["raw://x"],
        params: { records: records * times, valueChars },
        map: manyKeys,
        mapOutputStream: [asLines],
        partitions: 3,
        memoryLimit,
      }),
    ));
});
