/** Bytes without gzip and zstd, which are known by how a stream begins, whatever it is called. */
import { gzipReader, zstdReader } from "../../index.ts";

const magics: readonly (readonly [start: readonly number[], reader: typeof gzipReader])[] = [
  [[0x1f, 0x8b, 0x08], gzipReader],
  [[0x28, 0xb5, 0x2f, 0xfd], zstdReader],
];
const startBytes = 4;

/** `url`: for errors. */
export async function* plainBytes(chunks: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  for (let length = 0; length < startBytes; ) {
    const step = await source.next();
    if (step.done === true) break;
    held.push(step.value);
    length += step.value.length;
  }
  const start = Buffer.concat(held.map((chunk) => chunk.subarray(0, startBytes)));
  const reader = magics.find(([magic]) => magic.every((byte, i) => start[i] === byte))?.[1];
  const all = continued(held, source);
  if (reader === undefined) yield* all;
  // The readers take streams that are not at hand at once as well.
  else yield* reader(all as unknown as Iterable<Uint8Array>, 0, url) as unknown as AsyncIterable<Uint8Array>;
}

async function* continued(held: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* held;
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}
