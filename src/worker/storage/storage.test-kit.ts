/** What tests of storage share: a data directory for the time of a test, and short ways to write and read outputs. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Batch, BatchSource } from "./batch.ts";
import { Records } from "./batch.ts";
import type { TaskOutputRef } from "./lost-output.ts";
import { SegmentFile } from "./segment-file.ts";
import { TaskWriter, type WrittenOutput } from "./task-writer.ts";

export type Pair = readonly [unknown, unknown];

/** A directory that is removed after the test. */
export function tempDir(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "disco-storage-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface WriteOptions {
  readonly partitions?: number | null;
  readonly label?: number;
  readonly sorted?: boolean;
  readonly budgetBytes?: number;
}

/** Writes pairs as one task, to partition (index of the pair) modulo partitions. */
export function writeTask(segment: SegmentFile, pairs: Iterable<Pair>, options: WriteOptions = {}): WrittenOutput {
  const { partitions = null, label = 0, sorted = false, budgetBytes = 1 << 20 } = options;
  const writer = new TaskWriter({ segment, partitions, label, sorted, budgetBytes });
  let i = 0;
  for (const [key, value] of pairs) writer.add(i++ % (partitions ?? 1), key, value, -1);
  return writer.finish();
}

/** Writes each list of pairs as one task's output into one new segment file. */
export function writeTasks(
  dataDir: string,
  tasks: readonly Iterable<Pair>[],
  options: WriteOptions = {},
): TaskOutputRef[] {
  const file = `seg-${fs.readdirSync(dataDir).length}.seg`;
  const segment = SegmentFile.create(path.join(dataDir, file));
  const outputs = tasks.map((pairs, task) => {
    const { at, length, digest } = writeTask(segment, pairs, options);
    return { task, ref: { host: "localhost", file, at, length, digest } };
  });
  segment.close();
  return outputs;
}

export function drain(source: BatchSource): Pair[] {
  return [...new Records(source)];
}

/** A source that counts how often it was closed. */
export function arraysSource(batches: readonly Batch[]): BatchSource & { closed: number } {
  let at = 0;
  return {
    closed: 0,
    nextBatch() {
      return batches[at++] ?? null;
    },
    close() {
      this.closed++;
    },
  };
}
