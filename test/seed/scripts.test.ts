/** Scripts as users write and start them: module systems, runners, threads, endings. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chainReader, Disco, resultIterator } from "disco-mapreduce";

const checkout = join(import.meta.dirname, "..", "..");

const countWords = `
  input: ["raw://a b a"],
  map: (line) => line.split(" ").map((word) => [basename("/x/" + word) + mark, 1]),
  *reduce(pairs) {
    for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((a, n) => a + n, 0)];
  },
  sort: true,
`;
const moduleScript = `
import { basename } from "node:path";
import { Disco, kvgroup, resultIterator } from "disco-mapreduce";
const mark = "!";
async function main() {
  const disco = new Disco();
  const job = await disco.newJob("script", {${countWords}});
  console.log(JSON.stringify(await resultIterator(job).toArray()));
}
await main();
`;
const commonScript = moduleScript
  .replace(/import (.*) from (".*");/g, "const $1 = require($2);")
  .replace("await main()", "main()");
const counted = '[["a!",2],["b!",1]]\n';
const endless = `
import { Disco } from "disco-mapreduce";
const disco = new Disco();
const job = await disco.newJob("endless", {
  input: ["raw://a"],
  map() {
    console.log("worker " + process.pid + ".");
    for (;;);
  },
});
for await (const [, { message }] of job.events()) {
  const pid = /worker (\\d+)\\./.exec(message)?.[1];
  if (pid !== undefined) {
    console.log(pid);
    break;
  }
}
`;

describe("a script", { timeout: 120_000, concurrency: 2 }, () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-scripts-"));
    for (const type of ["module", "commonjs"]) {
      await mkdir(join(folder, type, "node_modules"), { recursive: true });
      await writeFile(join(folder, type, "package.json"), JSON.stringify({ type }));
      await symlink(checkout, join(folder, type, "node_modules", "disco-mapreduce"));
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(name: string, source: string, args: readonly string[] = []): Promise<ChildProcess> {
    const file = join(folder, name);
    await writeFile(file, source);
    const env: NodeJS.ProcessEnv = { ...process.env, DISCO_ROOT: join(folder, "root"), NODE_OPTIONS: "" };
    delete env["NODE_TEST_CONTEXT"];
    return spawn(process.execPath, ["--conditions=disco-source", "--no-warnings", ...args, file], {
      cwd: checkout,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout, stderr };
  }

  for (const [title, name, source, args] of [
    ["that is a module and forgets to close", "module/job.ts", moduleScript, []],
    ["in CommonJS", "commonjs/job.cjs", commonScript, []],
    ["in CommonJS and TypeScript", "commonjs/job.ts", commonScript, []],
    ["that is a module under tsx", "module/tsx-job.ts", moduleScript, ["--import", "tsx"]],
    [
      "in CommonJS under tsx, with syntax that needs it",
      "commonjs/tsx-job.ts",
      `${moduleScript.replace('const mark = "!"', 'enum Mark { Bang = "!" }\nconst mark: string = Mark.Bang').replace("await main()", "void main()")}`,
      ["--import", "tsx"],
    ],
  ] as const) {
    it(`${title}, runs its job and ends by itself`, async () => {
      const { code, stdout, stderr } = await finish(await start(name, source, args));
      assert.equal(stdout, counted, stderr);
      assert.equal(code, 0);
    });
  }

  it("can run its job in a worker thread", async () => {
    const source = `
import { isMainThread, Worker } from "node:worker_threads";
${moduleScript.replace("await main();", "if (isMainThread) new Worker(new URL(import.meta.url)); else await main();")}`;
    const { code, stdout, stderr } = await finish(await start("module/thread.ts", source));
    assert.equal(stdout, counted, stderr);
    assert.equal(code, 0);
  });

  it("can leave the job to another module of its", async () => {
    await writeFile(join(folder, "module", "jobs.ts"), moduleScript.replace("await main();", "export { main };"));
    const source = 'import { main } from "./jobs.ts";\nawait main();\nawait main();\n';
    const { stdout, stderr } = await finish(await start("module/caller.ts", source));
    assert.equal(stdout, counted + counted, stderr);
  });

  for (const [title, ending, code] of [
    ["throws", 'throw new Error("of the user");', 1],
    ["calls process.exit", "process.exit(3);", 3],
    ["is interrupted by Ctrl-C", 'process.kill(process.pid, "SIGINT"); await new Promise(() => {});', 130],
    ["is ended by SIGTERM", 'process.kill(process.pid, "SIGTERM"); await new Promise(() => {});', 143],
    ["is killed", 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {});', 137],
  ] as const) {
    it(`that ${title} while a job runs leaves no worker behind`, async () => {
      const child = await start(`module/${title.replace(/\W+/g, "-")}.ts`, `${endless}${ending}`);
      const closed = finish(child);
      const { code: status, stdout, stderr } = await closed;
      const signalled =
        child.signalCode === null ? status : { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[child.signalCode as "SIGINT"];
      assert.equal(signalled, code, stderr);
      const pid = Number(stdout);
      assert.ok(pid > 0, stderr);
      while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    });
  }

  it("can use several engines at once, and results of one in a job of another", async () => {
    const map = (line: string): [string, number][] => [[line, 1]];
    await using one = new Disco(undefined, { root: join(folder, "one"), workers: 1 });
    await using two = new Disco(undefined, { root: join(folder, "two"), workers: 1 });
    await using same = new Disco(undefined, { root: join(folder, "one"), workers: 1, journal: "memory" });
    const jobs = await Promise.all(
      [one, two, same].map((disco, i) => disco.newJob("each", { input: [`raw://${i}`], map })),
    );
    const chained = await two.newJob("chained", { input: jobs, mapReader: chainReader, map: ([k, v]) => [[k, v + 1]] });
    assert.deepEqual((await resultIterator(chained).toArray()).map(String).sort(), ["0,2", "1,2", "2,2"]);
    await assert.rejects(two.jobinfo(jobs[0] as (typeof jobs)[0]), { code: "unknown-job" });
  });

  it("can have twenty jobs at once, and many in a loop", async () => {
    await using disco = new Disco(undefined, { root: join(folder, "many"), workers: 2 });
    const run = async (i: number): Promise<unknown> => {
      await using job = await disco.newJob("one_of_many", {
        input: [`raw://${i}`],
        params: { i },
        map: (line, params) => [[line, params.i]],
        partitions: 2,
        reduce: (pairs, _params) => [...pairs],
        sort: true,
      });
      return await resultIterator(job).toArray();
    };
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => run(i)));
    assert.deepEqual(
      all,
      Array.from({ length: 20 }, (_, i) => [[String(i), i]]),
    );
    for (let i = 0; i < 10; i++) assert.deepEqual(await run(i), [[String(i), i]]);
    assert.deepEqual(await disco.joblist(), []);
  });

  it("that uses a Disco after closing it is told so; closing twice, or before any use, is fine", async () => {
    const disco = new Disco(undefined, { root: join(folder, "closed") });
    await disco.close();
    await disco.close();
    await assert.rejects(disco.joblist(), { code: "closed" });
    await assert.rejects(disco.newJob("late", { input: ["raw://a"], map: (line) => [[line, 1]] }), { code: "closed" });
  });

  it("that closes while a job runs ends the job, for whoever waits as well", async () => {
    const disco = new Disco(undefined, { root: join(folder, "closing"), workers: 1 });
    const job = await disco.newJob("cut", {
      input: ["raw://a"],
      map(): [string, number][] {
        for (;;);
      },
    });
    const waiting = assert.rejects(job.wait(), { name: /JobError|DiscoError/ });
    await disco.close();
    await waiting;
    await using next = new Disco(undefined, { root: join(folder, "closing"), workers: 1 });
    assert.equal((await next.jobinfo(job.name)).status, "dead");
  });
});

/** A zombie that nobody has reaped yet counts as ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
