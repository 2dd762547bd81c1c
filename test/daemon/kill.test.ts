/**
 * The daemon is killed by SIGKILL at random moments while a job runs and others are submitted, and started again each time. Nobody
 * who looks at the results and at the events can tell.
 *
 * `DISCO_TEST_KILLS` says how often (default 10), `DISCO_TEST_SEED` which moments.
 */
import assert from "node:assert/strict";
import { createHash, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { Random } from "../../sim/random.ts";
import { Disco, type Job, kvgroup, parseDir, resultIterator } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";
import { childrenOf, eventFileOf, isGone, submitWithKey } from "./kill.test-kit.ts";

const kills = Number(process.env["DISCO_TEST_KILLS"] ?? 10);
const seed = Number(process.env["DISCO_TEST_SEED"] ?? randomInt(2 ** 31));
const maps = 8 * kills;
/** From the start of the process: sometimes it does not even serve, mostly tasks run. */
const killMsMin = 100;
const killMsMax = 1_600;
/** A worker looks for its daemon a few times a second. */
const orphanMsMax = 5_000;

/** Each map takes long enough to be hit, and short enough for many to be finished. */
function submit(disco: Disco): Promise<Job> {
  return disco.newJob("killed", {
    input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
    params: { ms: 60 },
    map(line, params) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, params.ms);
      const n = Number(line);
      return Array.from({ length: 50 }, (_, i) => [`word${(n * 31 + i * 7) % 97}`, n * i] as const);
    },
    *reduce(pairs) {
      for (const [word, numbers] of kvgroup(pairs)) yield [word, numbers.reduce((a, n) => a + n, 0)] as const;
    },
    sort: true,
    partitions: 3,
  });
}

/** SHA-256 of all result files, in order. */
async function digestOf(urls: readonly string[], data: string): Promise<string> {
  const hash = createHash("sha256");
  for (const url of urls) {
    for (const file of await parseDir(url))
      hash.update(await readFile(join(data, file.replace(/^disco:\/\/[^/]*\/disco\//, ""))));
  }
  return hash.digest("hex");
}

/** What the job gives when nobody disturbs it, and the pack of a small one. */
async function undisturbed(): Promise<{ records: unknown[]; digest: string; small: Uint8Array }> {
  await using daemon = await startDaemon();
  await using disco = new Disco(daemon.address);
  const urls = await (await submit(disco)).wait({ timeout: 100 });
  const job = await disco.newJob("small", { input: ["raw://x"], map: (line) => [[line, 1] as const] });
  await job.wait({ timeout: 60 });
  return {
    records: await resultIterator(urls).toArray(),
    digest: await digestOf(urls, join(daemon.root, "data")),
    small: await job.jobspec(),
  };
}

interface Line {
  readonly message: string;
  readonly task: string | null;
  readonly n?: number;
}

/** Starts the daemon and kills it after a while, again and again, until the job has been disturbed often enough. */
async function disturb(daemon: TestDaemon, random: Random): Promise<number[]> {
  const orphans: number[] = [];
  for (let i = 0; i < kills; i++) {
    await passed(killMsMin + random.next() * (killMsMax - killMsMin));
    orphans.push(...childrenOf(daemon.pid));
    await daemon.kill();
    daemon.launch();
  }
  await daemon.restart();
  return orphans;
}

test(`a daemon that is killed ${kills} times (seed ${seed}) gives the same bytes, and tells a story without gaps`, {
  timeout: 60_000 + kills * 10_000,
}, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const quiet = await undisturbed();
  await using daemon = await startDaemon();
  await using disco = new Disco(daemon.address, { retrySeconds: 60 });
  const job = await submit(disco);

  const followed: string[] = [];
  const following = (async () => {
    for await (const [, { message }] of job.events()) followed.push(message);
  })();
  const over = new AbortController();
  const submitting = submitWithKey(daemon.url, quiet.small, over.signal);

  const orphans = await disturb(daemon, new Random(seed));
  const urls = await job.wait({ timeout: 60 });
  over.abort();
  const acknowledged = await submitting;

  // The same bytes.
  assert.deepEqual(await resultIterator(urls).toArray(), quiet.records);
  assert.equal(await digestOf(urls, join(daemon.root, "data")), quiet.digest);

  // The log has each line once, in order.
  const lines = readFileSync(eventFileOf(daemon.root, job.name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const numbers = lines.flatMap(({ n }) => (n === undefined ? [] : [n]));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i),
    "numbers of lines",
  );
  await following;
  assert.deepEqual(
    followed,
    lines.map(({ message }) => message),
    "what a follower heard is what the log says",
  );

  // Each task finished once, and was not begun again after that.
  const finished = new Set<string>();
  let begun = 0;
  for (const { message, task } of lines) {
    if (task === null) continue;
    if (message.startsWith("DONE:")) {
      assert.ok(!finished.has(task), `${task} finished twice`);
      finished.add(task);
    } else if (message.includes("assigned to")) {
      begun++;
      assert.ok(!finished.has(task), `${task} was begun again after it had finished`);
    }
  }
  assert.equal(finished.size, maps + 3);
  assert.ok(begun > maps + 3, "kills hit tasks that ran");
  assert.ok(lines.every(({ message }) => !/^(?:FATAL|ERROR)/.test(message)));

  // No acknowledged job is missing, and a key is the same job for ever.
  const names = new Set((await disco.joblist()).map(({ name }) => name));
  assert.ok(acknowledged.length > 0, "jobs were submitted meanwhile");
  for (const { key, name } of acknowledged) {
    assert.ok(names.has(name), `${name} was acknowledged and is missing`);
    assert.deepEqual(await submitWithKey(daemon.url, quiet.small, over.signal, key), [{ key, name }]);
  }
  assert.equal(names.size, acknowledged.length + 1, "no job was begun twice");
  t.diagnostic(`${begun - maps - 3} attempts were lost, ${acknowledged.length} jobs submitted meanwhile`);

  // Nobody is left behind.
  for (const pid of orphans) assert.ok(await isGone(pid, orphanMsMax), `worker ${pid} is still there`);
});
