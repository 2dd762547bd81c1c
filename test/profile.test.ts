/**
 * Profiled jobs, with real workers: each scenario spins in functions of its own for a known time and looks for them in the
 * profile, with the file and the line where they are written.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Disco, type ProfiledFunction, type ProfileStats, resultIterator, task } from "disco-mapreduce";
import { assertWellFormed } from "../src/client/profile/cpu-profile.test-kit.ts";
import { type Finished, runDisco, runScript } from "./run-disco.ts";

const here = fileURLToPath(import.meta.url);
const lines = readFileSync(here, "utf8").split("\n");
/** Number of the first line that contains `text`. */
const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1;

/** Long enough for some samples on a busy machine. */
const spinMs = 120;

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

const spinning = `
function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
const jobDict = {
  input: ["raw://a"],
  map: (line) => {
    spin(${spinMs});
    return [[line, 1]];
  },
  profile: true,
};
`;
const asking = `
const stats = await job.profileStats();
console.log(JSON.stringify(stats));
await disco.close();
`;
const moduleScript = `
import { Disco, JobDict } from "disco-mapreduce";
${spinning}
const disco = new Disco();
const job = await disco.newJob("script", jobDict);
await job.wait();
${asking}`;
const commonScript = `
const { Disco } = require("disco-mapreduce");
${spinning}
(async () => {
const disco = new Disco();
const job = await disco.newJob("script", jobDict);
await job.wait();
${asking}
})();`;
/** What a remote master gets: functions and what they import, in one module. */
const portableScript = `
import { Disco, Job, JobDict } from "disco-mapreduce";
import { spin } from "./spin.ts";
const disco = new Disco();
const pack = await new JobDict({
  input: ["raw://a"],
  map: (line: string) => {
    spin(${spinMs});
    return [[line, 1]];
  },
  profile: true,
}).pack();
const job = new Job(disco, await (await disco.master()).submit(pack));
await job.wait();
${asking}`;
const typed = (script: string): string =>
  script.replace("spin(ms)", "spin(ms: number): void").replace("(line)", "(line: string)");

describe("the profile of a script", { timeout: 120_000, concurrency: 2 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-profiled-"));
    for (const type of ["module", "commonjs"]) {
      await mkdir(join(folder, type, "node_modules"), { recursive: true });
      await writeFile(join(folder, type, "package.json"), JSON.stringify({ type }));
      await symlink(join(import.meta.dirname, ".."), join(folder, type, "node_modules", "disco-mapreduce"));
    }
    await writeFile(
      join(folder, "module", "spin.ts"),
      `\n\nexport ${typed(spinning).split("const jobDict")[0]?.trim()}\n`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [title, name, source, args] of [
    ["that is a module in TypeScript", "module/job.ts", typed(moduleScript), []],
    ["that is a module in JavaScript", "module/plain.js", moduleScript, []],
    ["in CommonJS", "commonjs/job.cjs", commonScript, []],
    ["in CommonJS and TypeScript", "commonjs/job.ts", typed(commonScript), []],
    ["that runs under tsx", "module/tsx.ts", typed(`enum Unused { One }\n${moduleScript}`), ["--import", "tsx"]],
    ["whose functions were bundled", "module/portable.ts", portableScript, []],
    [
      "whose functions were bundled under tsx",
      "module/both.ts",
      `enum Unused { One }\n${portableScript}`,
      ["--import", "tsx"],
    ],
  ] as const) {
    it(`${title} is in terms of its file and lines`, async () => {
      const file = join(folder, name);
      await writeFile(file, source);
      const done = await runScript(file, { root: join(folder, `root-${name.replace(/\W/g, "-")}`), args });
      assert.equal(done.code, 0, done.stderr);
      const { functions } = JSON.parse(done.stdout) as ProfileStats;
      const place = (text: string, path: string): [string, number] => {
        const at = readFileSync(path, "utf8")
          .split("\n")
          .findIndex((line) => line.includes(text));
        return [path, at + 1];
      };
      const found = (fn: string) => functions.find((one) => one.name === fn);
      const spinFile = name.includes("portable") || name.includes("both") ? join(folder, "module", "spin.ts") : file;
      assert.deepEqual([found("map")?.file, found("map")?.line], place("map: (line", file), done.stdout);
      assert.deepEqual([found("spin")?.file, found("spin")?.line], place("function spin", spinFile));
      assert.ok((found("spin")?.totalMs ?? 0) >= spinMs / 4, done.stdout);
      const spun = found("spin")?.lines.map(({ line }) => line) ?? [];
      // A runner that puts a file into one line leaves functions their places, but not their lines.
      if (spun.length > 0) assert.ok(spun.includes(place("while (", spinFile)[1]), done.stdout);
      else assert.ok(args.length > 0, "lines are known");
    });
  }
});

describe("on the command line", { timeout: 120_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-profile-cli-"));
    await writeFile(
      join(folder, "job.ts"),
      `${typed(spinning).replace("  profile: true,\n", "")}export default jobDict;\n`,
    );
    await writeFile(
      join(folder, "two.ts"),
      `import type { RunContext } from "disco-mapreduce";
${typed(spinning).replace("  profile: true,\n", "")}
export default async ({ disco }: RunContext) => {
  for (let i = 0; i < 2; i++) {
    await using job = await disco.newJob("one", jobDict as never);
    await job.wait();
  }
};
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const disco = (...args: string[]): Promise<Finished> => runDisco(args, { root: join(folder, "root"), cwd: folder });

  it("disco run --profile prints the table below the results, and disco profile again", async () => {
    const ran = await disco("run", "job.ts", "--profile");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^ {2}a {2}1\n[^]*\n\njob@\S+: 1 task of map, .* samples\n\n +self +total +function\n/);
    assert.match(ran.stdout, /^ *[\d.]+ ms +[\d.]+ % +\d+ ms +[\d.]+ % +spin +job\.ts:2$/m);
    const again = await disco("profile", "job", "--mode", "map", "--sort", "total", "--limit", "1");
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^job@\S+: 1 task of map/);
    assert.match(again.stdout, /\n… \d+ more\n$/);
    const json = JSON.parse((await disco("profile", "@", "--json")).stdout) as ProfileStats;
    assert.ok(json.functions.some(({ name, file }) => name === "spin" && file === join(folder, "job.ts")));
    const written = await disco("profile", "job", "-o", "job.cpuprofile");
    assert.match(written.stderr, /written: job\.cpuprofile/);
    assertWellFormed(JSON.parse(await readFile(join(folder, "job.cpuprofile"), "utf8")));
    assertWellFormed(JSON.parse((await disco("profile", "job", "-o", "-")).stdout));
  });

  it("disco run --profile leaves standard output to records and documents", async () => {
    const records = await disco("run", "job.ts", "--profile", "-o", "-", "-q");
    assert.equal(records.stdout, "a\t1\n");
    assert.match(records.stderr, / spin +job\.ts:2\n/);
    const { profile, ok } = JSON.parse((await disco("run", "job.ts", "--profile", "--json", "-q")).stdout);
    assert.equal(ok, true);
    assert.ok(profile.functions.some(({ name }: ProfiledFunction) => name === "spin"));
  });

  it("disco run --profile takes the jobs that a module runs and purges together", async () => {
    const ran = await disco("run", "two.ts", "--profile", "-q");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /\n2 jobs: 2 tasks of map, /);
    assert.match(ran.stdout, / spin +two\.ts:3$/m);
  });

  it("disco profile says what is wrong: no such stage, no profile", async () => {
    await disco("run", "job.ts", "-q", "--name", "bare");
    const none = await disco("profile", "bare");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /bare@\S+ has no profile: it was not run with profile: true/);
    const mode = await disco("profile", "bare", "--mode", "rduce");
    assert.match(mode.stderr, /has no stage "rduce"/);
    assert.equal((await disco("profile", "bare", "--sort", "name")).code, 2);
  });
});
