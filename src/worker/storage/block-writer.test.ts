import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../protocol/block.ts";
import { RecordColumns } from "../../protocol/block-records.ts";
import { writeRecords } from "./block-writer.ts";

/** Records and bytes of each block of a run over these records. */
function blocksOf(records: Iterable<readonly [unknown, unknown]>): { records: number; bytes: number }[] {
  const columns = new RecordColumns();
  const blocks: { records: number; bytes: number }[] = [];
  const write = () =>
    writeRecords(
      columns,
      { labelCount: 1, order: "by-key", codec: "none" },
      () => ({
        sink: (block) => blocks.push({ records: decodeBlock(block).records, bytes: block.length }),
        digest: null,
      }),
      () => {},
    );
  for (const [key, value] of records) {
    if (columns.add(0, key, value, -1)) continue;
    write();
    columns.add(0, key, value, -1);
  }
  write();
  return blocks;
}

const large = "x".repeat(200_000);
const small = Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i] as const);

const kinds: Readonly<Record<string, (i: number) => readonly [unknown, unknown]>> = {
  "large keys": (i) => [`z${i}${large}`, i],
  "large texts as values": (i) => ["z", `${i}${large}`],
  "large texts inside of values": (i) => ["z", { text: `${i}${large}` }],
  "large lists as values": (i) => ["z", Array.from({ length: 20_000 }, (_, j) => i + j)],
  "large lists as keys": (i) => [["z", i, large], i],
};
for (const [name, record] of Object.entries(kinds)) {
  test(`${name} among many small records do not end up in one huge block`, () => {
    const blocks = blocksOf([...small, ...Array.from({ length: 50 }, (_, i) => record(i))]);
    assert.equal(
      blocks.reduce((sum, block) => sum + block.records, 0),
      small.length + 50,
    );
    for (const { bytes } of blocks) assert.ok(bytes < 1024 * 1024, `a block of ${bytes} bytes`);
  });
}

test("small records come in blocks of thousands", () => {
  const blocks = blocksOf(small);
  assert.ok(blocks.length < 10, `${blocks.length} blocks`);
});
