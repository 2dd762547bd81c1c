/** Jobs that bring their worker along, in a cluster of several masters: what the journal says of them is enough for the next master. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Disco, Job } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { parseIndex } from "../../src/schemes/dir.ts";
import { ProcessStand } from "../cluster/stand.test-kit.ts";
import { programPack, pythonWorker } from "./pack.test-kit.ts";
import { noPython } from "./python.test-kit.ts";
import { shellWorker } from "./shell-worker.test-kit.ts";

/** The word count, whose reduces, or all maps but the first, say that they have begun and wait until they are told to go on. */
const waitingTasks = `#!/usr/bin/env python3
import os
import time
import word_count


def wait():
    begun = os.environ["BEGUN"]
    open("%s-%s-%d-%d" % (begun, word_count.TASK["stage"], word_count.TASK["taskid"], os.getpid()), "w").close()
    while os.environ["WAITS"] == word_count.TASK["stage"] and not os.path.exists(begun):
        time.sleep(0.05)


def map_():
    if word_count.TASK["taskid"] > 0:
        wait()
    word_count.map_words()


def reduce():
    wait()
    word_count.reduce_counts()


def copy():
    for entry in word_count.inputs():
        for label, at, _ in word_count.read(*entry, word_count.index):
            word_count.write_output(label, word_count.read(entry[0], label, [[0, at]], lambda url, _: word_count.fetch(url)))


shuffle = copy if os.environ.get("SHUFFLE") == "copies" else word_count.pass_on
word_count.run({"map": map_, "map_shuffle": shuffle, "reduce": reduce})
`;
const texts = globSync(join(import.meta.dirname, "..", "..", "examples", "data", "*.txt")).sort();

function countsOf(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const word of readFileSync(file, "latin1")
      .toLowerCase()
      .match(/[a-z]{2,}/g) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

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

  /** Of the words in results, asked of a master that passes requests on. */
  async function countsAt(results: readonly string[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const read = async (url: string): Promise<string> => {
      const [, node = "", path = ""] = /^(?:disco|dir):\/\/[^/]+\/disco\/([^/]+)(\/.*)$/.exec(url) ?? [];
      const master = stand.masterUrls.find((_, i) => stand.masters[i]?.runs);
      const answer = await fetch(`${master}/proxy/${node}/GET/disco/${node}${path}`);
      assert.equal(answer.status, 200, url);
      return await answer.text();
    };
    for (const result of results) {
      for (const { url } of parseIndex(await read(result), result)) {
        for (const line of (await read(url)).trimEnd().split("\n")) {
          const [word = "", count] = line.split(" ");
          assert.ok(!counts.has(word), word);
          counts.set(word, Number(count));
        }
      }
    }
    return counts;
  }

  async function events(job: Job): Promise<string[]> {
    const lines: string[] = [];
    for await (const [, { message }] of client.events(job.name)) lines.push(message);
    return lines;
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

  for (const shuffle of ["copies", "passes on"] as const) {
    it(`makes again what was lost with a node while reduces run, where the shuffle ${shuffle} it`, {
      skip: noPython,
    }, async () => {
      const begun = join(folder, `lost-${shuffle.replace(" ", "-")}`);
      const job = await client.submitPack(
        programPack({
          version: 1,
          prefix: "lost",
          worker: { name: "waiting.py", contents: waitingTasks },
          files: { "word_count.py": pythonWorker.contents },
          inputs: texts,
          partitions: 2,
          jobenvs: { BEGUN: begun, SHUFFLE: shuffle, WAITS: "reduce" },
        }),
      );
      await stand.until("reduces wait", async () => {
        return (await readdir(folder)).some((file) => join(folder, file).startsWith(`${begun}-reduce-`));
      });
      const master = await client.master();
      const maps = await master.tasks(job.name, { stage: "map" });
      const reduces = await master.tasks(job.name, { stage: "reduce", status: "running" });
      const busy = new Set(reduces.tasks.flatMap(({ attempts }) => attempts.map(({ host }) => host)));
      const holders = [...new Set(maps.tasks.flatMap(({ done }) => done?.host ?? []))];
      const victim = holders.find((host) => !busy.has(host)) ?? holders[0] ?? assert.fail("nobody has a map's output");
      await stand.node(victim).kill();
      await stand.until(`${victim} is given up`, async () => (await stand.nodeInfo(victim))?.connected === false);
      await writeFile(begun, "");
      const results = (await job.wait({ timeout: 120 })) as string[];
      assert.deepEqual(await countsAt(results), countsOf(texts));
      const log = await events(job);
      assert.ok(!log.some((line) => line.startsWith("FATAL")), log.join("\n"));
      await stand.restore();
    });
  }

  it("runs a reduce beside its maps under one master, and ends under the next", { skip: noPython }, async () => {
    const begun = join(folder, "beside");
    // Two maps wait, and the third node has room for the reduce.
    const few = texts.slice(0, 3);
    const job = await client.submitPack(
      programPack({
        prefix: "beside",
        worker: { name: "waiting.py", contents: waitingTasks },
        files: { "word_count.py": pythonWorker.contents },
        inputs: few,
        pipeline: [
          ["map", "split", false],
          ["reduce", "group_all", true],
        ],
        jobenvs: { BEGUN: begun, WAITS: "map" },
      }),
    );
    const has = async (stage: string): Promise<boolean> =>
      (await readdir(folder)).some((file) => join(folder, file).startsWith(`${begun}-${stage}-`));
    await stand.until("a reduce has begun while maps wait", async () => (await has("reduce")) && (await has("map")));
    await stand.takeover();
    await writeFile(begun, "");
    const results = (await job.wait({ timeout: 120 })) as string[];
    assert.deepEqual(await countsAt(results), countsOf(few));
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
