/** Jobs that bring their worker along, as clients of Disco see them at a daemon: a worker of forty lines of shell does the work. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Disco } from "../../src/index.ts";
import { jobDirectory } from "../../src/node/job-directory.ts";
import { parseIndex } from "../../src/schemes/dir.ts";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { type ProgramPackOptions, programPack } from "./pack.test-kit.ts";
import { shellWorker } from "./shell-worker.test-kit.ts";

let daemon: TestDaemon;
let disco: Disco;

before(async () => {
  daemon = await startDaemon();
  disco = new Disco(daemon.address);
});
after(async () => {
  await disco.close();
  await daemon[Symbol.asyncDispose]();
});

type Pack = Partial<ProgramPackOptions>;
type Outcome = readonly [status: string, results: readonly (string | readonly string[])[]];

async function post(path: string, body: string | Uint8Array): Promise<unknown> {
  const answer = await fetch(daemon.url + path, { method: "POST", body });
  assert.equal(answer.status, 200, path);
  return await answer.json();
}

async function ask(path: string): Promise<unknown> {
  const answer = await fetch(daemon.url + path);
  assert.equal(answer.status, 200, path);
  return await answer.json();
}

const pack = (change: Pack): Uint8Array => programPack({ worker: shellWorker, inputs: ["raw://a"], ...change });

async function submit(change: Pack): Promise<string> {
  const answer = (await post("/disco/job/new", pack(change))) as [string, string];
  assert.equal(answer[0], "ok", answer[1]);
  return answer[1];
}

async function ended(name: string): Promise<Outcome> {
  const [[, outcome]] = (await post("/disco/ctrl/get_results", JSON.stringify([60_000, [name]]))) as [
    [string, Outcome],
  ];
  return outcome;
}

async function events(name: string): Promise<string[]> {
  const text = await (await fetch(`${daemon.url}/disco/ctrl/rawevents?name=${name}`)).text();
  return text
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as string[])[2] as string);
}

/** What a file of the daemon's node holds: `disco://localhost/disco/PATH`. */
async function fileAt(url: string): Promise<string> {
  return await readFile(join(daemon.root, "data", url.replace(/^(?:disco|dir):\/\/localhost\/disco\//, "")), "utf8");
}

interface Said {
  readonly task: {
    readonly taskid: number;
    readonly stage: string;
    readonly grouping: string;
    readonly group: [number, string];
  };
  readonly inputs: readonly [string, readonly [number, string, number | "all", [number, string][]][]];
}

/** What the tasks behind these results were told, by task. */
async function said(results: Outcome[1]): Promise<Said[]> {
  const all: Said[] = [];
  for (const [index] of results as [string][])
    for (const { url } of parseIndex(await fileAt(index), index)) all.push(JSON.parse(await fileAt(url)) as Said);
  return all;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const byLabel = `out $((taskid % 2)) x "$inputs"`;

describe("a job that brings its worker along", () => {
  test("runs every stage of a classic job, tells it in Disco's words, and leaves the outputs of all of them", async () => {
    const inputs = ["raw://a", ["raw://b", "raw://c"]];
    const name = await submit({
      version: 1,
      inputs,
      partitions: 2,
      jobenvs: { on_map: `${byLabel}; say MSG '"hello"'` },
    });
    const [status, results] = await ended(name);
    assert.equal(status, "ready");
    const reduces = await said(results);
    // map_shuffle has made one output, of label 0.
    assert.deepEqual(
      reduces.map(({ task: { taskid, stage, grouping, group } }) => [taskid, stage, grouping, group]),
      [[3, "reduce", "group_label", [0, ""]]],
    );
    const stages = await Promise.all(
      ["map", "map_shuffle", "reduce"].map((stage) => ask(`/disco/ctrl/get_stageresults?name=${name}&stage=${stage}`)),
    );
    assert.deepEqual(
      stages.map((outputs) => (outputs as string[][]).length),
      [2, 1, 1],
    );
    assert.deepEqual(stages[2], results);
    const [shuffle] = await said(stages[1] as string[][]);
    assert.deepEqual(
      shuffle?.inputs[1].map(([, , label, replicas]) => [label, replicas.length]),
      [
        ["all", 1],
        ["all", 1],
      ],
    );
    const info = (await ask(`/disco/ctrl/jobinfo?name=${name}`)) as Record<string, unknown>;
    assert.deepEqual(
      [info["worker"], info["owner"], info["active"], info["inputs"]],
      ["bin/worker.sh", "test@wire", "ready", ["raw://a", "raw://b", "raw://c"]],
    );
    assert.deepEqual(info["pipeline"], [
      ["map", 0, 0, 0, 2, 0],
      ["map_shuffle", 0, 0, 0, 1, 0],
      ["reduce", 0, 0, 0, 1, 0],
    ]);
    const log = await events(name);
    for (const line of [
      "New job initialized!",
      `Created job "${name}"`,
      "Stage map scheduled with 2 tasks",
      "map:0 assigned to localhost",
      "MSG: [map:1] hello",
      "SYS: [map:0] Received results from localhost",
      "Stage map_shuffle scheduled with 1 tasks",
    ]) {
      assert.ok(log.includes(line), line);
    }
    assert.ok(log.some((line) => /^DONE: \[reduce:0\] Task finished in 0:00:\d\d\.\d{3}$/.test(line)));
    assert.match(log.at(-1) ?? "", /^READY: Job done in 0:00:\d\d\.\d{3}$/);
    const parameters = await fetch(`${daemon.url}/disco/ctrl/parameters?name=${name}`);
    assert.deepEqual(
      Buffer.from(await parameters.arrayBuffer()),
      Buffer.from(pack({ version: 1, inputs, partitions: 2, jobenvs: { on_map: `${byLabel}; say MSG '"hello"'` } })),
    );
  });

  test("reads the results of another by their labels: a task for each, or one for all", async () => {
    const made = await submit({
      pipeline: [["make", "split", false]],
      inputs: ["raw://a", "raw://b"],
      jobenvs: { on_make: 'out 4 x "4 $taskid"; out 7 y "7 $taskid"' },
    });
    const [, indexes] = await ended(made);
    const input = (indexes as [string][]).map(([index]) => index);
    const reduceOnly = { "map?": false, input };
    const labelled = await submit({ version: 1, inputs: [], partitions: 3, jobdict: reduceOnly });
    const tasks = await said((await ended(labelled))[1]);
    assert.deepEqual(
      tasks.map(({ task, inputs }) => [task.group, inputs[1].map(([, , label]) => label)]),
      [
        [
          [4, ""],
          [4, 4],
        ],
        [
          [7, ""],
          [7, 7],
        ],
      ],
    );
    const all = await submit({ version: 1, inputs: [], partitions: 1, jobdict: reduceOnly });
    assert.deepEqual(
      (await said((await ended(all))[1])).map(({ task, inputs }) => [
        task.group,
        inputs[1].map(([, , label]) => label),
      ]),
      [
        [
          [0, ""],
          ["all", "all"],
        ],
      ],
    );
    const map = await submit({ version: 1, inputs, jobdict: { "reduce?": false, input: input.slice(0, 1) } });
    await ended(map);
    const stage = (await ask(`/disco/ctrl/get_stageresults?name=${map}&stage=map`)) as string[][];
    assert.deepEqual(
      (await said(stage)).map(({ task }) => task.group),
      [
        [4, "localhost"],
        [7, "localhost"],
      ],
    );
  });

  const inputs: readonly string[] = [];

  test("is refused where an index of its input is gone", async () => {
    const input = ["dir://localhost/disco/localhost/aa/gone@1:2:3/.disco/map-0-0.results"];
    const [status, text] = (await post(
      "/disco/job/new",
      pack({ version: 1, inputs, jobdict: { input, "map?": false } }),
    )) as [string, string];
    assert.equal(status, "error");
    assert.match(text, /^Job failed to start: its input dir:\/\/.*gone@1:2:3.* cannot be read: no such file/);
  });

  test("is tried again after an error, and ready when that helps", async () => {
    const on_map = `mkdir -p tries; echo x >>tries/$taskid
      if [ $(wc -l <tries/$taskid) -lt 5 ]; then end ERROR '"not yet"'; fi
      out 0 x done`;
    const name = await submit({ pipeline: [["map", "split", false]], jobenvs: { on_map } });
    assert.equal((await ended(name))[0], "ready");
    const log = await events(name);
    assert.equal(log.filter((line) => line === "WARNING: [map:0] not yet").length, 4);
    assert.ok(
      log.includes('Task map:0 failed on "localhost", 4 failures so far. Sleeping 0.2 seconds before retrying.'),
    );
    const info = (await ask(`/disco/ctrl/jobinfo?name=${name}`)) as Record<string, unknown>;
    assert.deepEqual(info["pipeline"], [["map", 0, 0, 0, 1, 4]]);
  });

  test("may have stages with dots and dashes in their names, and its results kept all the same", async () => {
    const name = await submit({
      pipeline: [["step.1-a", "split", false]],
      jobdict: { save_results: true },
      jobenvs: { on_step_1_a: "out 0 x dotted" },
    });
    assert.deepEqual(await ended(name), ["ready", [`tag://disco:results:${name}`]]);
    const [[index]] = (await ask(`/disco/ctrl/get_stageresults?name=${name}&stage=step.1-a`)) as [[string]];
    const [entry] = parseIndex(await fileAt(index), index);
    assert.equal(await fileAt(entry?.url ?? ""), "dotted");
  });

  test("is dead when its worker says so, in the worker's words", async () => {
    const name = await submit({ version: 1, jobenvs: { on_map: `end FATAL '"no module named x"'` } });
    assert.deepEqual(await ended(name), ["dead", []]);
    const log = await events(name);
    assert.ok(log.includes("FATAL: [map:0] no module named x"), log.join("\n"));
  });

  test("has its results kept as a tag where that is asked for", async () => {
    const name = await submit({
      version: 1,
      jobdict: { save_results: true, "reduce?": false },
      jobenvs: { on_map_shuffle: "out 0 x first; out 0 y second; out 3 z third" },
    });
    assert.deepEqual(await ended(name), ["ready", [`tag://disco:results:${name}`]]);
    const tag = (await ask(`/ddfs/tag/disco:results:${name}`)) as { urls: string[][] };
    const blobs = await Promise.all(
      tag.urls.map(async ([url = ""]) => (await fetch(url.replace("disco://localhost", daemon.url))).text()),
    );
    assert.deepEqual(blobs, ["first", "second", "third"]);
    await post("/disco/ctrl/purge_job", JSON.stringify(name));
    assert.equal(
      (await fetch(`${daemon.url}/ddfs/tag/disco:results:${name}`)).status,
      200,
      "results that were saved stay",
    );
  });

  test("puts out-of-band values into DDFS itself; they are found as others are, and go with the job", async () => {
    const name = await submit({ version: 1, jobdict: { "reduce?": false } });
    await ended(name);
    const tag = `disco:job:oob:${name}`;
    await disco.ddfs.push(tag, [{ name: "key", data: "a value" }]);
    assert.deepEqual(await disco.oobList(name), ["key"]);
    assert.equal(Buffer.from(await disco.oobGet(name, "key")).toString(), "a value");
    await assert.rejects(disco.oobGet(name, "other"), { code: "unknown-key" });
    await post("/disco/ctrl/purge_job", JSON.stringify(name));
    assert.equal((await fetch(`${daemon.url}/ddfs/tag/${tag}`)).status, 404);
  });

  test("leaves nothing when it is purged, and its files until then", async () => {
    const name = await submit({ version: 1 });
    const [, results] = await ended(name);
    const [[index]] = results as [[string]];
    assert.notEqual(await fileAt(index), "");
    await post("/disco/ctrl/purge_job", JSON.stringify(name));
    await assert.rejects(fileAt(index), { code: "ENOENT" });
  });

  test("goes on where it was when its master and node are started anew", async () => {
    const on_map = "while [ ! -e go ]; do sleep 0.05; done; out 0 x done";
    const name = await submit({ version: 1, inputs: ["raw://a", "raw://b"], jobenvs: { on_map } });
    await daemon.kill();
    await daemon.start();
    const info = (await ask(`/disco/ctrl/jobinfo?name=${name}`)) as { active: string; worker: string };
    assert.deepEqual([info.active, info.worker], ["active", "bin/worker.sh"]);
    // Workers that the first daemon has left see it as well.
    await writeFile(join(daemon.root, "data", jobDirectory("localhost", name), "go"), "");
    const [status, results] = await ended(name);
    assert.equal(status, "ready");
    assert.equal((await said(results)).length, 1);
  });

  test("ends when it is killed, and its processes with it", async () => {
    const name = await submit({ version: 1, jobenvs: { on_map: "echo $$ >pid; sleep 1000" } });
    const file = join(daemon.root, "data", jobDirectory("localhost", name), "pid");
    while (!existsSync(file) || (await readFile(file, "utf8")) === "") await setTimeout(20);
    const pid = Number(await readFile(file, "utf8"));
    process.kill(pid, 0);
    await post("/disco/ctrl/kill_job", JSON.stringify(name));
    assert.equal((await ended(name))[0], "dead");
    assert.ok((await events(name)).includes("WARN: Job killed"));
    while (isAlive(pid)) await setTimeout(20);
  });

  for (const [what, change, text] of [
    ["a worker that it does not bring", { jobdict: { worker: "bin/other" } }, /there is no worker: "bin\/other"/],
    ["a prefix that is none", { jobdict: { prefix: "a/b" } }, /invalid prefix/],
    ["an unknown grouping", { pipeline: [["a", "by_name", false]] }, /invalid grouping "by_name"/],
    [
      "two stages of one name",
      {
        pipeline: [
          ["a", "split", false],
          ["a", "group_all", false],
        ],
      },
      /"a" is repeated/,
    ],
  ] as const satisfies readonly (readonly [string, Pack, RegExp])[]) {
    test(`is refused with the reason: ${what}`, async () => {
      const [status, reason] = (await post("/disco/job/new", pack(change))) as [string, string];
      assert.equal(status, "error");
      assert.match(reason, /^Job failed to start: /);
      assert.match(reason, text);
    });
  }
});
