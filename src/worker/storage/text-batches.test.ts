import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { RecordColumns } from "../../protocol/block-records.ts";
import { unknownHash } from "../../protocol/hash.ts";
import { compareValues } from "../../protocol/order.ts";
import { TextRecords } from "../../protocol/text-records.ts";
import { Records } from "./batch.ts";
import { FinalWriter } from "./final-writer.ts";
import { MergedRecords } from "./merged-records.ts";
import { openOutputs } from "./outputs.ts";
import { OpenFiles, RunReader } from "./run.ts";
import { type Pair, tempDir, writeTasks } from "./storage.test-kit.ts";

/** Too long for a dictionary, so that columns are plain text from the first record on. */
const long = "-".repeat(70);
const units = fc.constantFrom("a", "b", "\u00e4", "\u00ff", "\0");
const narrow = fc.string({ unit: units, maxLength: 9 });
const narrowKey = fc.oneof(
  narrow.map((text) => text + long),
  narrow.map((text) => long + text),
);
/** Now and then something that is no narrow string. */
const anyKey = fc.oneof(
  { weight: 30, arbitrary: narrowKey },
  { weight: 1, arbitrary: narrow },
  { weight: 1, arbitrary: narrow.map((text) => `${text}\u{1f600}\uffff`) },
  { weight: 1, arbitrary: fc.integer() },
);

const tasksOf = (keys: fc.Arbitrary<unknown>): fc.Arbitrary<Pair[][]> =>
  fc.array(
    fc.array(
      keys.map((key): Pair => [key, `${long}${String(key)}`.replace(/[^\0-\xff]/gu, "?")]),
      { minLength: 1, maxLength: 60 },
    ),
    { minLength: 1, maxLength: 7 },
  );

test("runs of text merge like any others, beside any others", (t) => {
  const dataDir = tempDir(t);
  fc.assert(
    fc.property(
      fc.oneof(tasksOf(narrowKey), tasksOf(anyKey)),
      fc.constantFrom(1000, 8000, 1e8),
      (tasks, budgetBytes) => {
        const numbered = tasks.map((pairs, task) =>
          pairs.map(([key, value], i): Pair => [key, `${String(value)}${task}.${i}`]),
        );
        const expected = numbered.flat().sort((a, b) => compareValues(a[0], b[0]));
        assert.deepEqual(
          merged(dataDir, numbered, budgetBytes, (records) => [...records]),
          expected,
        );
      },
    ),
    { numRuns: 80 },
  );
});

test("a merge writes the same bytes whether its records pass as bytes or are looked at", (t) => {
  const dataDir = tempDir(t);
  fc.assert(
    fc.property(fc.oneof(tasksOf(narrowKey), tasksOf(anyKey)), (tasks) => {
      const passed = merged(dataDir, tasks, 1e8, (records) =>
        written(dataDir, (writer) => {
          for (let batch = records.nextBatch(); batch !== null; batch = records.nextBatch()) writer.addBatch(0, batch);
        }),
      );
      const looked = merged(dataDir, tasks, 1e8, (records) =>
        written(dataDir, (writer) => {
          for (const [key, value] of records) writer.add(0, key, value, unknownHash);
        }),
      );
      assert.deepEqual(passed, looked);
    }),
    { numRuns: 60 },
  );
});

test("records pass as bytes through all of their blocks, and as strings to those who look", (t) => {
  const dataDir = tempDir(t);
  const pairs = Array.from({ length: 3000 }, (_, i): Pair => [`${(i * 7919) % 3001} ${long}`, `${i} ${long}`]);
  const batches = merged(dataDir, [pairs.slice(0, 1300), pairs.slice(1300)], 1e8, (records) => {
    const found: boolean[] = [];
    for (let batch = records.nextBatch(); batch !== null; batch = records.nextBatch()) {
      found.push(batch.texts !== undefined && batch.texts.count === batch.n);
      assert.equal(batch.keys, batch.keys);
      assert.equal(batch.keys.length, batch.values.length);
    }
    return found;
  });
  assert.ok(batches.length > 1 && batches.every(Boolean));
});

test("a batch that is looked at too late is an error, not other records", (t) => {
  const dataDir = tempDir(t);
  const pairs = [[`a${long}`, long]] as Pair[];
  merged(dataDir, [pairs, pairs], 1e8, (records) => {
    const batch = records.nextBatch();
    assert.equal(records.nextBatch(), null);
    assert.throws(() => batch?.keys, /after they were given back/);
  });
});

test("records that are added as bytes count, settle and wait as if added one by one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(narrowKey, narrowKey), { minLength: 1, maxLength: 700 }),
      fc.nat(3000),
      (pairs, seed) => {
        const one = new RecordColumns(8);
        for (const [key, value] of pairs) one.add(0, key, value, unknownHash);
        const many = new RecordColumns(8);
        many.makePlain();
        const texts = textsOf(pairs);
        for (let i = 0; i < pairs.length; ) {
          if ((i * 31 + seed) % 3 === 0) {
            many.add(0, pairs[i]?.[0], pairs[i]?.[1], unknownHash);
            i++;
          } else i += many.addTexts(0, texts, i, many.bytes + ((i * 97 + seed) % 20_000), Number.POSITIVE_INFINITY);
        }
        assert.equal(many.count, one.count);
        assert.equal(many.bytes, one.bytes);
        assert.deepEqual(many.textStarts(), one.textStarts());
        assert.deepEqual(many.text.bytes.subarray(0, many.text.length), one.text.bytes.subarray(0, one.text.length));
      },
    ),
    { numRuns: 40 },
  );
});

test("a block that is damaged is found before its text is passed on", (t) => {
  const dataDir = tempDir(t);
  const [output] = writeTasks(dataDir, [[[`a${long}`, long]]], { sorted: true });
  assert.ok(output !== undefined);
  const files = new OpenFiles();
  t.after(() => files.close());
  const [run] = openOutputs([output], { dataDir, label: 0, files });
  assert.ok(run !== undefined);
  const bytes = fs.readFileSync(run.file);
  bytes[run.offset + run.length - 3] = 0x21;
  fs.writeFileSync(run.file, bytes);
  assert.throws(() => new RunReader(run).next(Buffer.alloc(1000)), { name: "LostOutput" });
});

function textsOf(pairs: readonly (readonly [string, string])[]): TextRecords {
  const marks = (texts: readonly string[]) => Uint32Array.from(texts, (text) => text.length * 2);
  const keys = marks(pairs.map(([key]) => key));
  const bytes = Buffer.from(`somewhere ${pairs.flat().join("")}`, "latin1");
  return new TextRecords(bytes, "somewhere ".length, keys, marks(pairs.map(([, value]) => value)), pairs.length);
}

let writers = 0;

/** The files that a writer made, and how many records they have. */
function written(dataDir: string, write: (writer: FinalWriter) => void): unknown[] {
  const name = `reduce-0-${writers++}`;
  const writer = new FinalWriter({ dataDir, jobDir: "job", name, label: 0, partitions: null, budgetBytes: 1e6 });
  write(writer);
  const { files, digest } = writer.finish();
  return [digest, writer.records, ...files.map(({ file }) => fs.readFileSync(path.join(dataDir, file)))];
}

function merged<T>(
  dataDir: string,
  tasks: readonly (readonly Pair[])[],
  budgetBytes: number,
  take: (records: Records) => T,
): T {
  const outputs = writeTasks(dataDir, tasks, { sorted: true, budgetBytes: 12_000 });
  const files = new OpenFiles();
  try {
    const runs = openOutputs(outputs, { dataDir, label: 0, files });
    return take(new Records(new MergedRecords(runs, { budgetBytes, scratchDir: dataDir })));
  } finally {
    files.close();
  }
}
