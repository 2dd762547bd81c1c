/** All of Disco's HTTP interface, asked of a daemon as a process of its own: shapes as Disco's client reads them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Disco, type Job } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

let daemon: TestDaemon;
let disco: Disco;
let job: Job<string, number>;

before(async () => {
  daemon = await startDaemon();
  disco = new Disco(daemon.address);
  job = await disco.newJob("words", {
    input: ["raw://a b a", "raw://b"],
    map: (line) => line.split(" ").map((word) => [word, 1] as const),
    *reduce(pairs) {
      for (const [word, n] of pairs) yield [word, n] as const;
    },
    partitions: 2,
  });
  await job.wait({ timeout: 60 });
});
after(async () => {
  await disco.close();
  await daemon[Symbol.asyncDispose]();
});

async function ask(path: string, data?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const body = data === undefined ? {} : { method: "POST", body: JSON.stringify(data) };
  const answer = await fetch(daemon.url + path, { ...body, headers });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  assert.equal(answer.headers.get("connection"), "close");
  const text = await answer.text();
  return answer.headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
}

const ctrl = (path: string, data?: unknown): Promise<unknown> => ask(`/disco/ctrl/${path}`, data);
const named = (path: string): Promise<unknown> => ctrl(`${path}?name=${job.name}`);

describe("Disco's interface of a daemon", () => {
  test("lists jobs, the newest first", async () => {
    const other = await disco.newJob("later", { input: ["raw://x"], map: (line) => [[line, 1] as const] });
    await other.wait({ timeout: 60 });
    const list = (await ctrl("joblist")) as [number, string, string][];
    assert.deepEqual(
      list.map(([, status, name]) => [status, name]),
      [
        ["ready", other.name],
        ["ready", job.name],
      ],
    );
    assert.ok(Math.abs((list[0]?.[0] ?? 0) - Date.now() / 1000) < 600);
    assert.equal(await ctrl("purge_job", other.name), "");
    assert.deepEqual(
      ((await ctrl("joblist")) as [number, string, string][]).map(([, , name]) => name),
      [job.name],
    );
  });

  test("tells the state of a job", async () => {
    const info = (await named("jobinfo")) as Record<string, unknown>;
    assert.deepEqual(Object.keys(info).sort(), [
      "active",
      "hosts",
      "inputs",
      "owner",
      "pipeline",
      "results",
      "timestamp",
      "worker",
    ]);
    assert.match(String(info["timestamp"]), /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d$/);
    assert.equal(info["active"], "ready");
    assert.deepEqual(info["inputs"], ["raw://a b a", "raw://b"]);
    assert.deepEqual(info["hosts"], []);
    const pipeline = info["pipeline"] as [string, ...number[]][];
    assert.deepEqual(
      pipeline.map(([stage, pending, waiting, running, , failed]) => [stage, pending, waiting, running, failed]),
      [
        ["map", 0, 0, 0, 0],
        ["reduce", 0, 0, 0, 0],
      ],
    );
    assert.deepEqual(pipeline[0]?.[4], 2);
  });

  test("gives results as lists of replicas, and the files they name", async () => {
    const [[name, [status, results]]] = (await ctrl("get_results", [0, [job.name]])) as [
      [string, [string, string[][]]],
    ];
    assert.deepEqual([name, status], [job.name, "ready"]);
    assert.deepEqual(await ctrl(`get_stageresults?name=${job.name}&stage=reduce`), results);
    assert.deepEqual(await ctrl("get_results", [0, ["other@1"]]), [["other@1", ["unknown job", []]]]);
    for (const replicas of results) {
      const [, path = ""] = /^dir:\/\/localhost(\/disco\/localhost\/[0-9a-f]{2}\/.*)$/.exec(replicas[0] ?? "") ?? [];
      const index = String(await ask(path));
      for (const line of index.trimEnd().split("\n"))
        assert.match(line, /^\d+ disco:\/\/localhost\/disco\/localhost\/.* \d+$/);
      assert.equal(await ask(`/proxy/localhost/GET${path}`), index);
    }
  });

  test("waits for the end of a job, and answers at its end", async () => {
    const go = join(daemon.root, "go");
    const slow = await disco.newJob("slow", {
      input: ["raw://x"],
      params: { go },
      map: async (line, { go: file }) => {
        while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
        return [[line, 1] as const];
      },
    });
    const active = [[slow.name, ["active", []]]];
    assert.deepEqual(await ctrl("get_results", [0, [slow.name]]), active);
    assert.deepEqual(await ctrl("get_results", [50, [slow.name]]), active);
    const asked = ctrl("get_results", [600_000, [slow.name]]);
    await writeFile(go, "");
    const [[, [status]]] = (await asked) as [[string, [string, unknown]]];
    assert.equal(status, "ready");
  });

  test("has events whose offsets lead on, also after a restart", async () => {
    const raw = Buffer.from(String(await named("rawevents")));
    const lines = raw.toString().trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as string[]);
    assert.ok(events.every((event) => event.length === 3));
    const messages = events.map(([, , message]) => message);
    assert.equal(messages[0], "New job initialized!");
    assert.equal(messages[1], `Created job "${job.name}"`);
    assert.match(messages.at(-1) ?? "", /^READY: Job done in 0:00:\d\d\.\d{3}/);
    await daemon.restart("kill");
    let at = 0;
    for (const line of lines.slice(0, 5)) {
      at += Buffer.byteLength(line) + 1;
      const rest = await ask(`/disco/ctrl/rawevents?name=${job.name}`, undefined, { range: `bytes=${at}-` });
      assert.equal(rest, raw.subarray(at).toString());
    }
    assert.deepEqual(await ctrl(`jobevents?name=${job.name}&num=3`), events.slice(-3).reverse());
    assert.deepEqual(await ctrl(`jobevents?name=${job.name}&filter=INITIALIZED`), [events[0]]);
  });

  test("gives the job pack back", async () => {
    const pack = await fetch(`${daemon.url}/disco/ctrl/parameters?name=${job.name}`);
    const bytes = Buffer.from(await pack.arrayBuffer());
    assert.equal(bytes.readUInt32BE(0), 0xd5c00002);
    const again = await fetch(`${daemon.url}/disco/job/new`, { method: "POST", body: bytes });
    const [ok, name] = (await again.json()) as string[];
    assert.equal(ok, "ok");
    assert.match(name ?? "", /^words@[0-9a-f]+:[0-9a-f]+:[0-9a-f]+$/);
    assert.equal(await ctrl("kill_job", name), "");
    const bad = await fetch(`${daemon.url}/disco/job/new`, { method: "POST", body: "x" });
    assert.equal(bad.status, 200);
    assert.match(((await bad.json()) as string[]).join(" "), /^error Job failed to start: .*invalid header/);
  });

  test("has nodes, their blacklists and their table", async () => {
    const nodes = (await ctrl("nodeinfo")) as Record<string, Record<string, unknown>>;
    const { connected, blacklisted, max_workers } = nodes["localhost"] ?? {};
    assert.deepEqual([connected, blacklisted, max_workers], [true, false, 2]);
    for (const [list, add, remove] of [
      ["get_blacklist", "blacklist", "whitelist"],
      ["get_gc_blacklist", "gc_blacklist", "gc_whitelist"],
    ] as const) {
      assert.equal(await ctrl(add, "localhost"), "");
      assert.deepEqual(await ctrl(list), ["localhost"]);
      assert.equal(await ctrl(remove, "localhost"), "");
      assert.deepEqual(await ctrl(list), []);
    }
    assert.deepEqual(await ctrl("load_config_table"), [["localhost", "2"]]);
    assert.equal(await ctrl("save_config_table", [["localhost", "1"]]), "table saved!");
    assert.deepEqual(await ctrl("load_config_table"), [["localhost", "1"]]);
    const refused = await fetch(`${daemon.url}/disco/ctrl/save_config_table`, {
      method: "POST",
      body: '[["localhost","1"],["localhost","2"]]',
    });
    assert.deepEqual([refused.status, await refused.json()], [400, "duplicate nodes"]);
    assert.deepEqual(await ctrl("load_config_table"), [["localhost", "1"]]);
  });

  test("takes settings, and keeps them over a restart", async () => {
    assert.equal(await ctrl("save_settings", { max_failure_rate: "7", accept_new_jobs: "0" }), "Settings saved");
    await daemon.restart("kill");
    assert.deepEqual(await ctrl("get_settings"), { max_failure_rate: 7, accept_new_jobs: 0 });
    const refused = await fetch(`${daemon.url}/disco/job/new`, { method: "POST", body: "x" });
    assert.equal(refused.status, 403);
    assert.equal(await ctrl("save_settings", { accept_new_jobs: "1" }), "Settings saved");
  });

  test("ends and forgets jobs, also those it does not know", async () => {
    for (const act of ["kill_job", "clean_job", "purge_job"]) assert.equal(await ctrl(act, "nobody@1:2:3"), "");
    assert.equal(await ctrl("clean_job", job.name), "");
    assert.equal((await fetch(`${daemon.url}/disco/ctrl/jobinfo?name=${job.name}`)).status, 404);
    assert.equal(await ctrl("purge_job", job.name), "");
  });

  test("is measured: what the master did is in its metrics", async () => {
    const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1]);
    assert.ok(value("disco_journal_appends_total") > 0);
    assert.ok(value("disco_journal_bytes_total") > 0);
    assert.equal(value('disco_nodes\\{state="connected"\\}'), 1);
    assert.ok(value('disco_memory_bytes\\{kind="resident"\\}') > 10_000_000);
    assert.equal((await fetch(`${daemon.url}/readyz`)).status, 200);
  });
});
