/** Which process works for which job: one that has the code already serves the next job with the same code, no other. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Disco, resultIterator } from "../index.ts";

let visits = 0;

const sayPid = (text: string, { fail }: { fail?: boolean }): [number, number][] => {
  if (fail === true) throw new Error(`no ${text}`);
  visits += 1;
  return [[process.pid, visits]];
};

describe("the processes of an engine with one worker", { timeout: 120_000 }, () => {
  let root: string;
  let disco: Disco;

  const run = async (map: typeof sayPid, params: { fail?: boolean } = {}): Promise<number> => {
    await using job = await disco.newJob("who", { input: ["raw://x"], map, params, retries: 0 });
    const [first] = await resultIterator(await job.wait()).toArray();
    return first?.[0] as number;
  };

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-reuse-"));
    disco = new Disco(undefined, { root, workers: 1 });
  });

  after(async () => {
    await disco.close();
    await rm(root, { recursive: true, force: true });
  });

  it("a loop of jobs with the same functions stays in one process, whatever the params", async () => {
    const first = await run(sayPid);
    assert.notEqual(first, process.pid);
    assert.equal(await run(sayPid, { fail: false }), first);
    assert.equal(await run(sayPid), first);
  });

  it("a job with other functions gets a process of its own", async () => {
    const one = await run(sayPid);
    assert.notEqual(await run((text) => [[process.pid, text.length]]), one);
  });

  it("a process in which a task failed serves no other job", async () => {
    const before = await run(sayPid);
    await assert.rejects(run(sayPid, { fail: true }), /no x/);
    assert.notEqual(await run(sayPid), before);
  });
});
