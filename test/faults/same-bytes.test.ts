/**
 * One job, however it is run: with 1, 2 and 7 workers, in one partition or nine, undisturbed or with every worker process killed
 * in the middle of its work. Its sorted results are the same bytes.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdir, readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { kvgroup, parseDir, resultIterator, task } from "../../src/index.ts";
import { type Engine, messagesOf, openEngine } from "./engine.test-kit.ts";

const maps = 6;
const linesEach = 400;

/** Words that repeat, with keys of several lengths and alphabets. */
function text(file: number): string {
  const line = (i: number): string =>
    `w${(i * 7 + file) % 61} ${"long".repeat((i * file) % 9)}${i % 13} ß${i % 5} 😀${(i * file) % 11}`;
  return `${Array.from({ length: linesEach }, (_, i) => line(i)).join("\n")}\n`;
}

/** The first attempt of a task says who works here, and stands still until somebody kills it. */
function awaitMurder(folder: string | null): void {
  if (folder === null || task.attempt > 0) return;
  writeFileSync(join(folder, `${task.stage}-${task.id}.${process.pid}`), "");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

interface Run {
  readonly workers: number;
  readonly partitions: number;
  readonly murders?: boolean;
}

interface Outcome {
  readonly records: readonly (readonly [string, number])[];
  /** SHA-256 of all result files in the order of labels. */
  readonly digest: string;
  /** Attempts whose worker was killed. */
  readonly losses: number;
  /** Processes that were killed. */
  readonly killed: number;
}

async function run({ workers, partitions, murders = false }: Run): Promise<Outcome> {
  await using engine = await openEngine({ workers });
  const folder = join(engine.scratch, "murders");
  await mkdir(folder);
  const stop = new AbortController();
  const murdering = murderIn(folder, stop.signal);
  try {
    const results = await countWords(engine, partitions, murders ? folder : null);
    stop.abort();
    const killed = await murdering;
    const hash = createHash("sha256");
    for (const url of results.urls) {
      for (const file of await parseDir(url)) {
        hash.update(await readFile(join(engine.root, "data", file.replace("disco://localhost/disco/", ""))));
      }
    }
    return { records: results.records, digest: hash.digest("hex"), losses: results.losses, killed };
  } finally {
    stop.abort();
  }
}

async function countWords({ disco, scratch }: Engine, partitions: number, murders: string | null) {
  const input = await Promise.all(
    Array.from({ length: maps }, async (_, i) => {
      const file = join(scratch, `text-${i}`);
      await writeFile(file, text(i));
      return file;
    }),
  );
  const job = await disco.newJob("bytes", {
    input,
    params: { murders, seen: 0 },
    map(line, params) {
      if (++params.seen === linesEach / 2) awaitMurder(params.murders);
      return line.split(" ").map((word) => [word, 1] as const);
    },
    *reduce(pairs, params) {
      for (const [word, counts] of kvgroup(pairs)) {
        yield [word, counts.reduce((a, n) => a + n, 0)] as const;
        if (++params.seen === 3) awaitMurder(params.murders);
      }
    },
    sort: true,
    partitions,
  });
  const urls = await job.wait({ timeout: 100 });
  const losses = (await messagesOf(job)).filter((message) => message.includes("killed from outside by SIGKILL"));
  return { urls, records: await resultIterator(urls).toArray(), losses: losses.length };
}

/** Kills whoever asks for it by a file named after its process id, until the signal; gives how many there were. */
async function murderIn(folder: string, signal: AbortSignal): Promise<number> {
  const killed = new Set<number>();
  try {
    for await (const { filename } of watch(folder, { signal })) {
      const pid = Number(filename?.split(".")[1]);
      if (killed.has(pid)) continue;
      killed.add(pid);
      process.kill(pid, "SIGKILL");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return killed.size;
}

/** What one loop in one process counts. */
function expected(): Map<string, number> {
  const counts = new Map<string, number>();
  for (let file = 0; file < maps; file++) {
    for (const word of text(file).trimEnd().split(/[ \n]/)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Records of the undisturbed runs, by number of partitions. */
const undisturbed = new Map<number, Outcome["records"]>();

for (const partitions of [1, 9]) {
  test(`a job in ${partitions} partitions gives the same bytes with 1, 2 and 7 workers, and when all of them are killed`, async () => {
    const quiet = await run({ workers: 2, partitions });
    assert.deepEqual(new Map(quiet.records), expected());
    assert.equal(quiet.losses, 0);
    undisturbed.set(partitions, quiet.records);
    for (const workers of [1, 2, 7]) {
      const disturbed = await run({ workers, partitions, murders: true });
      assert.equal(disturbed.digest, quiet.digest, `${workers} workers`);
      assert.deepEqual(disturbed.records, quiet.records);
      assert.equal(disturbed.killed, maps + partitions, "the first worker of every task was killed");
      assert.equal(disturbed.losses, maps + partitions);
    }
    for (const workers of [1, 7]) assert.equal((await run({ workers, partitions })).digest, quiet.digest);
  });
}

test("partitions divide the records and change none of them", () => {
  const [one = [], nine = []] = [undisturbed.get(1), undisturbed.get(9)];
  const sorted = (records: Outcome["records"]): Outcome["records"] =>
    [...records].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.ok(one.length > 50);
  assert.deepEqual(one, sorted(one), "ascending by code point");
  assert.deepEqual(sorted(nine), one);
});
