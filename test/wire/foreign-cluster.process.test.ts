/** Jobs that bring their worker along, in a cluster of several masters: what the journal says of them is enough for the next master. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Disco, Job } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { ProcessStand } from "../cluster/stand.test-kit.ts";
import { programPack } from "./pack.test-kit.ts";
import { shellWorker } from "./shell-worker.test-kit.ts";

const inputs = ["raw://a", "raw://b", "raw://c", "raw://d"];

describe("a job that brings its worker along, in a cluster", { skip: skipWithoutNats(), timeout: 300_000 }, () => {
  let folder = "";
  let stand: ProcessStand;
  let client: Disco;
  const opened = new AsyncDisposableStack();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-foreign-"));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    stand = opened.use(await ProcessStand.open({ nodes: ["n1", "n2", "n3"] }));
    client = opened.use(stand.client());
  });
  after(() => opened.disposeAsync());

  /** A job whose maps say that they have begun, and wait until they are told to go on. */
  async function waitingJob(
    name: string,
    jobdict: Record<string, unknown> = {},
  ): Promise<{ job: Job; go: () => Promise<void> }> {
    const begun = join(folder, name);
    const on_map = `: >"${begun}-$taskid"; while [ ! -e "${begun}" ]; do sleep 0.05; done; out $((taskid % 2)) x "map $taskid"`;
    const pack = programPack({
      version: 1,
      prefix: name,
      worker: shellWorker,
      inputs,
      partitions: 2,
      jobenvs: {
        on_map,
        on_map_shuffle: 'out 0 x "$taskid"; out 1 y "$taskid"',
        on_reduce: 'out 0 x "reduce $taskid"',
      },
      jobdict,
    });
    const job = await client.submitPack(pack);
    await stand.until(`maps of ${name} wait`, async () => {
      return (await readdir(folder)).filter((file) => file.startsWith(`${name}-`)).length >= 3;
    });
    return { job, go: () => writeFile(begun, "") };
  }

  it("goes on under the next master while its tasks run, and none of them runs twice", async () => {
    const { job, go } = await waitingJob("takeover");
    await stand.takeover();
    await go();
    const results = await job.wait({ timeout: 120 });
    assert.equal(results.length, 2, "a reduce for each label");
    const info = await job.jobinfo();
    assert.equal(info.worker, "bin/worker.sh");
    assert.deepEqual(
      info.stages.map(({ stage, done, failed }) => [stage, done, failed]),
      [
        ["map", 4, 0],
        ["map_shuffle", info.stages[1]?.tasks, 0],
        ["reduce", 2, 0],
      ],
    );
    assert.equal((await readdir(folder)).filter((file) => file.startsWith("takeover-")).length, 4);
    assert.equal((await client.mapresults(job.name)).length, 4);
    await stand.restore();
  });

  it("runs the tasks of a node that is killed elsewhere", async () => {
    const { job, go } = await waitingJob("killed");
    await stand.node("n2").kill();
    await go();
    await job.wait({ timeout: 120 });
    const [map] = (await job.jobinfo()).stages;
    assert.deepEqual([map?.done, map?.failed], [4, 0], "a lost attempt is no failure");
    await stand.restore();
  });

  it("reads indexes of other nodes for the next job of a chain, and has its results kept", async () => {
    const { job, go } = await waitingJob("chain", { save_results: true });
    await go();
    const [tag = ""] = (await job.wait({ timeout: 120 })) as string[];
    assert.ok(tag.endsWith(`disco:results:${job.name}`), tag);
    const { urls } = await client.ddfs.get(tag);
    assert.equal(urls.length, 2);
    const master = await client.master();
    const shuffled = await master.stageResults(job.name, "map_shuffle");
    const next = await client.submitPack(
      programPack({
        version: 1,
        prefix: "next",
        worker: shellWorker,
        inputs: [],
        partitions: 2,
        jobdict: { "map?": false, input: shuffled },
      }),
    );
    assert.equal((await next.wait({ timeout: 120 })).length, 2, "a reduce for each label in the indexes");
  });
});
