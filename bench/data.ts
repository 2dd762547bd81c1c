/**
 * The data of the benchmarks: made from a seed, cached in `bench/data/`. A file is written under a temporary name and
 * renamed, so that an interrupted run leaves nothing half-made behind.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "./random.ts";

const folder = join(import.meta.dirname, "data");
const chunkBytes = 1 << 20;

/** Writes `name` once with the chunks that `make` yields, and returns its path. */
function cached(name: string, make: () => Iterable<Uint8Array>): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const partial = `${path}.${process.pid}`;
  try {
    const file = openSync(partial, "w");
    for (const chunk of make()) writeSync(file, chunk);
    closeSync(file);
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
  return path;
}

/** About 3,000 distinct words with Zipf's frequencies, as in the figures of other systems. */
const distinctWords = 3087;

function vocabulary(random: () => number): string[] {
  const words = new Set<string>();
  while (words.size < distinctWords) {
    const length = 3 + Math.floor(random() * random() * 10);
    let word = "";
    for (let i = 0; i < length; i++) word += String.fromCharCode(97 + Math.floor(random() * 26));
    words.add(word);
  }
  return [...words];
}

/** `files` text files of `bytes / files` each: lines of about 12 words. */
export function textFiles(bytes: number, files = 8): string[] {
  const each = Math.floor(bytes / files);
  return Array.from({ length: files }, (_, i) => cached(`text-${each}-${i}.txt`, () => text(each, 1 + i)));
}

function* text(bytes: number, seed: number): Generator<Uint8Array> {
  const words = vocabulary(seeded(7));
  const random = seeded(seed);
  const total = Math.log(distinctWords + 1);
  let left = bytes;
  while (left > 0) {
    const lines: string[] = [];
    let size = 0;
    while (size < Math.min(left, chunkBytes)) {
      const line: string[] = [];
      for (let i = 0; i < 12; i++) {
        // The inverse of Zipf's distribution function, near enough: rank = e^(u·ln(n+1)) − 1.
        line.push(words[Math.floor(Math.exp(random() * total)) - 1] as string);
      }
      const joined = line.join(" ");
      lines.push(joined);
      size += joined.length + 1;
    }
    const chunk = Buffer.from(`${lines.join("\n")}\n`, "latin1");
    left -= chunk.length;
    yield chunk;
  }
}

/** One line of 100 MB, longer than a line may be. */
export function longLine(): string {
  return cached("long-line.txt", function* () {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(1_000_000, 97);
    yield Buffer.from("\n");
  });
}

export const recordBytes = 100;

/** Lines of 100 bytes whose first ten are a random printable key: the shape of the sort benchmarks. */
export function sortFile(records: number): string {
  return cached(`sort-${records}.txt`, function* () {
    const random = seeded(11);
    const perChunk = 10_000;
    for (let done = 0; done < records; done += perChunk) {
      const count = Math.min(perChunk, records - done);
      const chunk = Buffer.alloc(count * recordBytes, 46);
      for (let i = 0; i < count; i++) {
        const at = i * recordBytes;
        for (let j = 0; j < 10; j++) chunk[at + j] = 33 + Math.floor(random() * 94);
        chunk.write(String(done + i).padStart(12, "0"), at + 11, "latin1");
        chunk[at + 10] = 32;
        chunk[at + recordBytes - 1] = 10;
      }
      yield chunk;
    }
  });
}
