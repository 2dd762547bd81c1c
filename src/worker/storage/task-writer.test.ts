import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyKey, anyValue } from "../../protocol/arbitrary-values.test-kit.ts";
import { LostOutput } from "./lost-output.ts";
import { openOutputs } from "./outputs.ts";
import { OpenFiles } from "./run.ts";
import { SegmentFile } from "./segment-file.ts";
import { drain, type Pair, tempDir, writeTask, writeTasks } from "./storage.test-kit.ts";
import { TaskWriter } from "./task-writer.ts";
import { UnsortedRecords } from "./unsorted-records.ts";

test("any records are read back in order, by label and all together", (t) => {
  const dataDir = tempDir(t);
  const pairs = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(pairs, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(200, 2000, 1e6),
      (tasks, budgetBytes) => {
        const outputs = writeTasks(dataDir, tasks, { partitions: 3, budgetBytes });
        const files = new OpenFiles();
        for (let label = 0; label < 3; label++) {
          const expected = tasks.flatMap((task) => task.filter((_, i) => i % 3 === label));
          const runs = openOutputs(outputs, { dataDir, label, files });
          assert.deepStrictEqual(drain(new UnsortedRecords(runs)), expected);
        }
        const all = drain(new UnsortedRecords(openOutputs(outputs, { dataDir, files })));
        assert.equal(all.length, tasks.flat().length);
        files.close();
      },
    ),
    { numRuns: 60 },
  );
});

test("without partitions everything has the task's own label", (t) => {
  const segment = SegmentFile.create(path.join(tempDir(t), "seg"));
  const { labels } = writeTask(
    segment,
    [
      ["a", 1],
      ["b", 2],
    ],
    { partitions: null, label: 5 },
  );
  assert.deepEqual(
    labels.map(({ label, records }) => [label, records]),
    [[5, 2]],
  );
  segment.close();
});

test("an attempt without records has no labels, and is read as nothing", (t) => {
  const dataDir = tempDir(t);
  const outputs = writeTasks(dataDir, [[]], { partitions: 4 });
  assert.deepEqual(openOutputs(outputs, { dataDir, files: new OpenFiles() }), []);
});

test("the digest depends on the records of each label, and not on where they lie", (t) => {
  const segment = SegmentFile.create(path.join(tempDir(t), "seg"));
  const pairs: Pair[] = Array.from({ length: 500 }, (_, i) => [`k${i}`, { n: i }]);
  for (const sorted of [false, true]) {
    const digest = (list: Pair[], partitions = 3) =>
      writeTask(segment, list, { partitions, sorted, budgetBytes: 5000 }).digest;
    assert.equal(digest(pairs), digest(pairs));
    assert.notEqual(digest(pairs), digest(pairs.slice(1)));
    assert.notEqual(digest(pairs), digest(pairs, 2));
    assert.notEqual(digest(pairs), digest(pairs.with(7, ["k7", { n: -1 }])));
  }
  segment.close();
});

test("an object that is changed after it was emitted does not change the record", (t) => {
  const dataDir = tempDir(t);
  const changing = { list: [0] };
  const outputs = writeTasks(dataDir, [
    (function* () {
      for (let i = 0; i < 3; i++) {
        changing.list[0] = i;
        yield ["k", changing] as Pair;
      }
    })(),
  ]);
  const records = drain(new UnsortedRecords(openOutputs(outputs, { dataDir, files: new OpenFiles() })));
  assert.deepEqual(
    records.map(([, value]) => value),
    [{ list: [0] }, { list: [1] }, { list: [2] }],
  );
});

test("a record that cannot be encoded is refused when it is added, and the next one is taken", (t) => {
  const segment = SegmentFile.create(path.join(tempDir(t), "seg"));
  const writer = new TaskWriter({ segment, partitions: 1, label: 0, sorted: false, budgetBytes: 1e6 });
  assert.throws(() => writer.add(0, "k", { a: [() => 1] }, -1), {
    code: "bad-value",
    message: /^value\.a\[0\]: a function/,
  });
  assert.throws(() => writer.add(0, [Symbol("s")], 1, -1), { code: "bad-value", message: /^key\[0\]: a symbol/ });
  assert.throws(() => writer.add(1, "k", 1, -1), { code: "bad-partition" });
  writer.add(0, "k", 1, -1);
  assert.equal(writer.finish().labels[0]?.records, 1);
  segment.close();
});

test("an aborted attempt leaves nothing in the file", (t) => {
  const segment = SegmentFile.create(path.join(tempDir(t), "seg"));
  writeTask(segment, [["a", 1]]);
  const { length } = segment;
  const writer = new TaskWriter({ segment, partitions: 2, label: 0, sorted: false, budgetBytes: 300 });
  for (let i = 0; i < 100; i++) writer.add(i % 2, `key ${i}`, "x".repeat(3000), -1);
  assert.ok(segment.length > length);
  writer.abort();
  assert.equal(segment.length, length);
  segment.close();
  assert.equal(fs.statSync(segment.path).size, length);
});

test("an output that is gone, short or damaged is lost, and says which", (t) => {
  const dataDir = tempDir(t);
  const pairs: Pair[] = Array.from({ length: 50 }, (_, i) => [`key${i}`, i]);
  const outputs = writeTasks(dataDir, [pairs, pairs, pairs]);
  const damaged = outputs[1] as (typeof outputs)[0];
  const file = path.join(dataDir, damaged.ref.file);
  const healthy = fs.readFileSync(file);
  const first = (outputs[0] as (typeof outputs)[0]).ref;
  const read = () => drain(new UnsortedRecords(openOutputs(outputs, { dataDir, files: new OpenFiles() })));
  const lost = (task: number) => (error: unknown) => {
    assert.ok(error instanceof LostOutput, String(error));
    assert.equal(error.code, "input-lost");
    assert.equal(error.origin.task, task);
    assert.deepEqual(error.origin.ref, outputs[task]?.ref);
    return true;
  };
  for (let at = first.at + first.length; at < damaged.ref.at + damaged.ref.length; at += 7) {
    const bytes = Buffer.from(healthy);
    bytes[at] = (bytes[at] as number) ^ 0x10;
    fs.writeFileSync(file, bytes);
    assert.throws(read, lost(1), `byte ${at}`);
  }
  fs.writeFileSync(file, healthy.subarray(0, damaged.ref.at + 3));
  assert.throws(read, lost(1));
  fs.rmSync(file);
  assert.throws(read, lost(0));
  fs.writeFileSync(file, healthy);
  assert.equal(read().length, 150);
});
