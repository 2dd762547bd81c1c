/**
 * Profiled jobs, with real workers: each scenario spins in functions of its own for a known time and looks for them in the
 * profile, with the file and the line where they are written.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Disco, type ProfiledFunction, type ProfileStats, resultIterator, task } from "disco-mapreduce";
import { assertWellFormed } from "../../src/client/profile/cpu-profile.test-kit.ts";

const here = fileURLToPath(import.meta.url);
const lines = readFileSync(here, "utf8").split("\n");
/** Number of the first line that contains `text`. */
const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1;

/** Long enough for some samples on a busy machine. */
const spinMs = 240;

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
function parse(line: string): [string, number][] {
  spin(spinMs);
  return line.split(" ").map((word) => [word, 1]);
}
function* sum(pairs: Iterable<[string, number]>): Generator<[string, number]> {
  const counts = new Map<string, number>();
  for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
  spin(spinMs);
  yield* counts;
}

const hot = (n: number): number => (n * 31 + 7) % 1_000_003;

function named(stats: ProfileStats, name: string): ProfiledFunction | undefined {
  return stats.functions.find((fn) => fn.name === name);
}

/** It is there, at its line of this file, with a good part of the time that it spun. */
function assertSpun(stats: ProfileStats, name: string, line: number, times = 1): void {
  const fn = named(stats, name);
  assert.ok(fn !== undefined, `${name} is missing among ${stats.functions.map((one) => one.name).join(", ")}`);
  assert.deepEqual([fn.file, fn.line], [here, line]);
  assert.ok(fn.totalMs >= (times * spinMs) / 4, `${name}: ${fn.totalMs} ms`);
}

describe("a job with profile: true", { timeout: 120_000 }, () => {
  let folder: string;
  let disco: Disco;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-profile-"));
    disco = new Disco(undefined, { root: join(folder, "root"), workers: 1 });
  });
  after(async () => {
    await disco.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("records each task, also several of one worker, and merges them for all or one stage", async () => {
    const job = await disco.newJob("words", {
      input: ["raw://a b", "raw://b d e", "raw://c a f"],
      map: parse,
      partitions: 2,
      sort: true,
      reduce: sum,
      profile: true,
    });
    await job.wait();
    assert.deepEqual(await job.oobList(), [
      "profile-map-0",
      "profile-map-1",
      "profile-map-2",
      "profile-reduce-0",
      "profile-reduce-1",
    ]);
    const all = await job.profileStats();
    assert.deepEqual([all.tasks, all.stages, all.hosts], [5, ["map", "reduce"], ["localhost"]]);
    assertSpun(all, "parse", lineOf("function parse"), 3);
    assertSpun(all, "sum", lineOf("function* sum"), 2);
    assertSpun(all, "spin", lineOf("function spin"), 5);
    const spun = named(all, "spin");
    assert.equal(spun?.lines[0]?.line, lineOf("while (performance.now() < end)"), JSON.stringify(spun));
    assert.ok((spun?.selfMs ?? 0) > (named(all, "parse")?.selfMs ?? 0));
    const maps = await job.profileStats("map");
    assert.deepEqual([maps.tasks, maps.stages], [3, ["map"]]);
    assertSpun(maps, "parse", lineOf("function parse"), 3);
    assert.equal(named(maps, "sum"), undefined);
    const reduces = await disco.profileStats(job, "reduce");
    assert.equal(reduces.tasks, 2);
    assert.equal(named(reduces, "parse"), undefined);
    assert.ok(named(all, "(disco) run") !== undefined);
    assert.ok(Math.abs(all.totalMs - maps.totalMs - reduces.totalMs) < 0.01);
    for (const stats of [all, maps, reduces]) assertWellFormed(stats.toCpuProfile());
    assert.deepEqual(all.cpuprofile, all.toCpuProfile());
  });

  it("has functions of its own even where V8 would have put them into others", async () => {
    const job = await disco.newJob("hot", {
      input: [`raw://${"1\n".repeat(2_000)}`],
      map: (line) => {
        let n = Number(line);
        for (let i = 0; i < 20_000; i++) n = hot(n);
        return [[n, 1]];
      },
      profile: true,
    });
    await job.wait();
    const stats = await job.profileStats();
    const share = (name: string): number => named(stats, name)?.selfShare ?? 0;
    assert.ok(share("hot") > 0.1, `hot: ${share("hot")}`);
    assert.ok(share("(disco) run") < 0.1, `(disco) run: ${share("(disco) run")}`);
  });

  it("records async maps, what they wait for, and generators", async () => {
    const async = await disco.newJob("async", {
      input: ["raw://a b"],
      async map(line) {
        await new Promise((resolve) => setTimeout(resolve, spinMs));
        spin(spinMs);
        return [[line, 1]];
      },
      profile: true,
    });
    const generator = await disco.newJob("generator", {
      input: ["raw://a b"],
      *map(line) {
        spin(spinMs);
        yield [line, 1];
      },
      profile: true,
    });
    await Promise.all([async.wait(), generator.wait()]);
    const waited = await async.profileStats();
    assertSpun(waited, "map", lineOf("async map(line)"));
    assert.ok((named(waited, "(idle)")?.selfMs ?? 0) >= spinMs / 4);
    assertSpun(await generator.profileStats(), "map", lineOf("*map(line)"));
  });

  it("has the attempt that counts, when others threw or were killed", async () => {
    const job = await disco.newJob("unlucky", {
      input: ["raw://throws", "raw://dies", "raw://works"],
      map(line) {
        if (task.attempt === 0 && line === "throws") throw new Error("once");
        if (task.attempt === 0 && line === "dies") process.kill(process.pid, "SIGKILL");
        return parse(line);
      },
      profile: true,
    });
    await job.wait();
    assert.equal((await job.oobList()).length, 3);
    const stats = await job.profileStats();
    assert.equal(stats.tasks, 3);
    assertSpun(stats, "parse", lineOf("function parse"), 3);
    assert.ok((named(stats, "parse")?.totalMs ?? 0) < spinMs * 30);
  });

  it("that dies has the profiles of the tasks that had ended", async () => {
    const job = await disco.newJob("dies", {
      input: ["raw://good", "raw://bad"],
      map(line) {
        if (line === "bad") throw new Error("always");
        return parse(line);
      },
      retries: 0,
      scheduler: { maxCores: 1 },
      profile: true,
    });
    await assert.rejects(job.wait(), { message: /always/ });
    assert.equal((await job.profileStats()).tasks, 1);
    const none = await disco.newJob("dies", {
      input: ["raw://bad"],
      map: () => assert.fail("always"),
      retries: 0,
      profile: true,
    });
    await assert.rejects(none.wait());
    await assert.rejects(none.profileStats(), { code: "no-profile", message: /none of its tasks ended well/ });
  });

  it("does not count the profile among the 1,000 values of a task, whose keys it keeps for itself", async () => {
    const job = await disco.newJob("values", {
      input: ["raw://a"],
      map(line) {
        for (let i = 0; i < 1_000; i++) task.put(`profile-${i}`, "mine");
        return [[line, 1]];
      },
      profile: true,
    });
    await job.wait();
    assert.equal((await job.oobList()).length, 1_001);
    assert.equal(Buffer.from(await job.oobGet("profile-7")).toString(), "mine");
    assert.equal((await job.profileStats()).tasks, 1);
    const taken = await disco.newJob("taken", {
      input: ["raw://a"],
      map(line) {
        task.put("profile-map-0", "mine");
        return [[line, 1]];
      },
    });
    await assert.rejects(taken.wait(), { message: /profile-map-0 is reserved for the CPU profiles/ });
  });

  it("has profiles by stage of a pipeline, too", async () => {
    const job = await disco.newJob("stages", {
      input: ["raw://a b"],
      pipeline: [
        { name: "split", map: parse },
        { name: "split_2", reduce: sum },
      ],
      profile: true,
    });
    await job.wait();
    assert.deepEqual(await job.oobList(), ["profile-split-0", "profile-split_2-0"]);
    const stats = await job.profileStats("split");
    assert.deepEqual([stats.tasks, stats.stages], [1, ["split"]]);
    assert.equal((await job.jobdict()).profile, true);
  });

  it("gives the same results as one that is not profiled", async () => {
    const records = async (profile: boolean): Promise<unknown[]> => {
      const input = ["raw://a b c", "raw://c b"];
      const job = await disco.newJob("same", { input, map: parse, sort: true, reduce: sum, profile });
      return resultIterator(job).toArray();
    };
    assert.deepEqual(await records(true), await records(false));
  });

  it("can be asked for its profile only when there is one, and says what is wrong otherwise", async () => {
    const plain = await disco.newJob("plain", { input: ["raw://a"], map: (line) => [[line, 1]] });
    await plain.wait();
    await assert.rejects(plain.profileStats(), {
      code: "no-profile",
      message: /^plain@\S+ has no profile: it was not run with profile: true$/,
      hint: /disco run --profile/,
    });
    await assert.rejects(plain.profileStats("reduce"), { code: "unknown-stage", hint: "Its stages are map." });
    await assert.rejects(plain.profileStats("mpa"), { code: "unknown-stage", hint: "Did you mean map?" });
    await assert.rejects(plain.profileStats(7 as never), { code: "bad-option" });
    await assert.rejects(disco.profileStats("nobody@1:2:3"), { code: "unknown-job" });
    const active = await disco.newJob("active", {
      input: ["raw://a"],
      map: () => new Promise<[string, number][]>(() => {}),
      profile: true,
    });
    await assert.rejects(active.profileStats(), { code: "job-active", hint: /await job\.wait\(\)/ });
    await active.kill();
  });
});
