import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { FromWorker, ToWorker } from "../protocol/messages.ts";
import { rehearsals, rehearse, type Stage } from "./rehearsal.ts";
import { WorkerLoop } from "./worker-loop.ts";

const crashes = ["uncaughtException", "unhandledRejection"] as const;
const listeners = crashes.map((event) => process.listeners(event as "exit"));
let dataDir = "";
let toNode: FromWorker[] = [];
let listener: ((message: FromWorker) => void) | null = null;
let loop: WorkerLoop;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "disco-rehearsal-"));
  loop = new WorkerLoop(process.ppid, (message) => (listener === null ? toNode.push(message) : listener(message)));
});

after(async () => {
  // A worker ends with its first stray error; the test process shall not.
  for (const [i, event] of crashes.entries()) {
    for (const added of process.listeners(event as "exit")) {
      if (!listeners[i]?.includes(added)) process.off(event, added);
    }
  }
  await rm(dataDir, { recursive: true, force: true });
});

function stage(change: Partial<Stage> = {}): Stage & { readonly handled: string[] } {
  const handled: string[] = [];
  return {
    handled,
    handle(message: ToWorker) {
      handled.push(message.kind);
      loop.handle(message);
    },
    divert: (next) => (listener = next),
    isWanted: () => false,
    ...change,
  };
}

test("all rehearsals come to their end, tell the node nothing, and leave the process as it was", async () => {
  toNode = [];
  const [cwd, { argv }] = [process.cwd(), process];
  const real = stage();
  assert.equal(await rehearse(join(dataDir, "_rehearsal"), real), rehearsals);
  assert.deepEqual(real.handled, Array(rehearsals).fill(["job", "tasks", "tasks", "release"]).flat());
  assert.deepEqual(toNode, []);
  assert.equal(process.cwd(), cwd);
  assert.equal(process.argv, argv);
  assert.deepEqual(await readdir(join(dataDir, "_rehearsal")), []);
  // Messages reach the node again.
  const id = { job: "none", stage: 0, task: 0, attempt: 0 };
  const task = {
    ...id,
    stageName: "map",
    group: { label: 0, host: null },
    input: { kind: "inputs", inputs: [] },
  } as const;
  const ended = new Promise<void>((resolve) => {
    const push = toNode.push.bind(toNode);
    toNode.push = (message) => {
      if (message.kind === "failed") resolve();
      return push(message);
    };
  });
  loop.handle({ kind: "tasks", tasks: [task] });
  await ended;
  assert.deepEqual(
    toNode.map(({ kind }) => kind),
    ["started", "failed"],
  );
});

test("no rehearsal begins when a message has come", async () => {
  let asked = 0;
  const wanted = stage({ isWanted: () => ++asked > 1 });
  assert.equal(await rehearse(join(dataDir, "_rehearsal"), wanted), 1);
  assert.deepEqual(wanted.handled, ["job", "tasks", "tasks", "release"]);
});

test("a rehearsal that fails is the last one, and nobody hears of it", async () => {
  toNode = [];
  const broken = stage({
    handle(message) {
      loop.handle(message.kind === "job" ? { ...message, packFile: join(dataDir, "nowhere") } : message);
    },
  });
  assert.equal(await rehearse(join(dataDir, "_rehearsal"), broken), 0);
  assert.equal(listener, null);
  assert.deepEqual(toNode, []);
});

test("nothing is made where the node has no data directory yet", async () => {
  assert.equal(await rehearse(join(dataDir, "later", "_rehearsal"), stage()), 0);
  assert.equal(existsSync(join(dataDir, "later")), false);
});
