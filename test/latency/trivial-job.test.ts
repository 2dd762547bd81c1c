/**
 * What a trivial job costs is what it does, which can be counted on a machine of any speed: messages to the worker and back,
 * transactions, files. `docs/latency.md` says what each is for. Somebody who adds one has to change a number here.
 */
import assert from "node:assert/strict";
import childProcess, { type ChildProcess } from "node:child_process";
import fs from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { LocalMaster } from "../../src/master/local-master.ts";

interface Counts {
  /** Arguments for Node, of each. */
  forks: (readonly string[])[];
  /** Kinds of messages, in their order. */
  sent: string[];
  received: string[];
  syncs: number;
}

const counts: Counts = { forks: [], sent: [], received: [], syncs: 0 };
const syncing = ["fsync", "fsyncSync", "fdatasync", "fdatasyncSync"] as const;
const originals = Object.fromEntries(syncing.map((name) => [name, fs[name]]));
const { fork } = childProcess;
let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "disco-latency-"));
  childProcess.fork = ((...args: Parameters<typeof fork>) => {
    counts.forks.push((args[2] as { execArgv: string[] }).execArgv);
    return watched(fork(...args));
  }) as typeof fork;
  for (const name of syncing) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    Reflect.set(fs, name, (...args: unknown[]) => {
      counts.syncs++;
      return original(...args);
    });
  }
  syncBuiltinESMExports();
});

after(async () => {
  childProcess.fork = fork;
  Object.assign(fs, originals);
  syncBuiltinESMExports();
  await rm(root, { recursive: true, force: true });
});

function watched(child: ChildProcess): ChildProcess {
  const { send } = child;
  child.send = ((message: { kind: string }, ...rest: unknown[]) => {
    counts.sent.push(message.kind);
    return Reflect.apply(send, child, [message, ...rest]);
  }) as typeof send;
  child.on("message", (message: { kind: string }) => counts.received.push(message.kind));
  return child;
}

test("a warm trivial job is eight messages, three transactions and no sync", { timeout: 60_000 }, async () => {
  // Now that everything is watched.
  const { Disco } = await import("../../src/index.ts");
  await using disco = new Disco(undefined, { root, workers: 1 });
  const master = (await disco.master()) as LocalMaster;
  const transactions = (): number => master.counts().journalAppends;
  const run = async (): Promise<string> => {
    const job = await disco.newJob("trivial", {
      input: ["raw://hello"],
      map: (text) => [[text, 1] as const],
      *reduce(pairs) {
        yield* pairs;
      },
    });
    await job.wait();
    return job.name;
  };
  for (let warmUp = 0; warmUp < 3; warmUp++) await run();
  Object.assign(counts, { forks: [], sent: [], received: [], syncs: 0 });
  const appendsBefore = transactions();
  const job = await run();
  const appends = transactions() - appendsBefore;
  assert.deepEqual(
    { ...counts, transactions: appends },
    {
      forks: [],
      sent: ["job", "tasks", "tasks", "release"],
      received: ["started", "done", "started", "done"],
      // Submitted and map assigned; map done and reduce assigned; reduce done.
      transactions: 3,
      syncs: 0,
    },
  );
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.parentPath.includes(job))
    .map(({ name }) => name.replace(/(?<=^seg-map-).*(?=\.seg$)/, "…").replace(/[0-9a-f]{8}(?=\.results$)/, "…"));
  // The segment and the manifest go when the job has ended, at leisure.
  assert.deepEqual(files.filter((name) => !/^seg-|^manifest-/.test(name)).sort(), [
    "events",
    "jobfile",
    "jobfile",
    "reduce-0-0.0.disco",
    "reduce-0-0.….results",
  ]);
});

test("the first job of an engine begins in the process that was forked first, also with a memory limit of its own", async () => {
  const { Disco } = await import("../../src/index.ts");
  await using disco = new Disco(undefined, { root: join(root, "other"), workers: 1 });
  counts.forks = [];
  const map = (text: string) => [[text, process.execArgv.join(" ")] as const];
  const job = await disco.newJob("limited", { input: ["raw://hello"], map, memoryLimit: 256 });
  const { resultIterator } = await import("../../src/index.ts");
  const [[, flags] = []] = await resultIterator(await job.wait()).toArray();
  assert.match(counts.forks[0]?.join(" ") ?? "", /--max-old-space-size=192\b/);
  assert.equal(flags, counts.forks[0]?.join(" "));
});

test("the first job of an engine starts as many processes at once as it will want, and no more", async () => {
  const { Disco } = await import("../../src/index.ts");
  const forksAtFirst = async (workers: number, input: string[]) => {
    await using disco = new Disco(undefined, { root: join(root, "several"), workers });
    counts.forks = [];
    const map = (text: string) => [[text, 1] as const];
    const accepted = disco.newJob("several", { input, map });
    // A turn is enough for the checks, not for the engine.
    await new Promise((resolve) => setImmediate(resolve));
    const forks = counts.forks.length;
    await (await accepted).wait();
    return forks;
  };
  assert.equal(await forksAtFirst(3, ["raw://a"]), 1, "one input");
  assert.equal(await forksAtFirst(2, ["raw://a", "raw://b", "raw://c"]), 2, "more inputs than slots");
});
