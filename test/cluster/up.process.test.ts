/** `disco cluster up`: a cluster on one machine, as a person tries it. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { TestProcess } from "./process.test-kit.ts";

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
const wordCount = join(import.meta.dirname, "..", "..", "examples", "word-count.ts");
const ready = /"nodes": \[[^\]]*\][^}]*\}\n/;
const patienceMs = 20_000;
const pollMs = 50;

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-up-"));
});
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

function up(...args: readonly string[]): TestProcess {
  return new TestProcess({
    name: "cluster up",
    command: process.execPath,
    args: [command, "cluster", "up", "--json", "--port", "0", "--workers", "1", ...args],
    env: { DISCO_ROOT: folder, DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: "" },
  });
}

interface Told {
  readonly master: string;
  readonly tokenFile: string;
  readonly masters: readonly { readonly pid: number }[];
  readonly nodes: readonly { readonly pid: number; readonly name: string }[];
}

/** The document that it prints when all have joined. */
function told({ output }: TestProcess): Told {
  const document = /^\{\n[^]*?\n\}$/m.exec(output)?.[0];
  assert.ok(document, output);
  return JSON.parse(document) as Told;
}

async function disco(args: readonly string[], { master, tokenFile }: Partial<Told>): Promise<string> {
  const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: master ?? "", DISCO_TOKEN_FILE: tokenFile ?? "" };
  const { code, stdout, stderr } = await runDisco(args, { root: join(folder, "client"), cwd: folder, env });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Runs word count; its name. */
async function ran(at: Partial<Told>): Promise<string> {
  const { jobs } = JSON.parse(await disco(["run", wordCount, "--json"], at)) as { jobs: readonly { name: string }[] };
  assert.ok(jobs[0]);
  return jobs[0].name;
}

async function countedWords(at: Partial<Told>): Promise<string> {
  return await disco(["cat", await ran(at)], at);
}

/** Processes that were started by this cluster, workers and the server of NATS among them. */
async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const [line, environment, state] = await Promise.all(
        ["cmdline", "environ", "stat"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8")),
      );
      const isOurs = line?.includes(folder) || environment?.includes(`DISCO_ROOT=${folder}`);
      if (isOurs && !/\) Z /.test(state ?? "")) found.push(`${pid} ${line?.replaceAll("\0", " ")}`);
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  return found;
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await holds()); await passed(pollMs)) {
    assert.ok(performance.now() < end, `${what}\n${(await processes()).join("\n")}`);
  }
}

const noCluster = skipWithoutNats() || (process.platform === "linux" ? false : "processes are looked for in /proc");

describe("disco cluster up", { skip: noCluster, timeout: 120_000 }, () => {
  test("runs a job with the bytes of the embedded engine, and leaves no process after Ctrl-C", async () => {
    await using cluster = up("--nodes", "2");
    await cluster.start(ready);
    const { tokenFile, master, nodes } = told(cluster);
    assert.deepEqual(
      nodes.map(({ name }) => name),
      ["node1", "node2"],
    );
    assert.equal((await stat(tokenFile)).mode & 0o777, 0o600);
    const secret = (await readFile(tokenFile, "utf8")).trim();
    const running = await processes();
    assert.ok(running.length >= 5, running.join("\n"));
    assert.doesNotMatch(running.join("\n") + cluster.output, new RegExp(secret));
    const ours = await countedWords({ master, tokenFile });
    assert.ok(ours.split("\n").length > 100, ours);
    assert.equal(ours, await countedWords({ master: "local" }));
    const listed = await disco(["nodes"], { master, tokenFile });
    // In the order in which they joined.
    for (const { name } of nodes) assert.match(listed, new RegExp(`^${name} +ok `, "m"));
    const second = await runDisco(["cluster", "up"], { root: folder, env: { DISCO_CONFIG: "none", DISCO_TOKEN: "" } });
    assert.match(second.stderr, /a cluster runs already below .*\n.*--root/);
    assert.equal(await cluster.end("SIGINT"), 0, cluster.output);
    assert.deepEqual(await processes(), []);
  });

  test("starts a killed node again; killed itself, its masters and nodes end, and the next start goes on", async () => {
    await using cluster = up("--nodes", "1");
    await cluster.start(ready);
    const first = told(cluster);
    const [node] = first.nodes;
    process.kill(node?.pid ?? 0, "SIGKILL");
    await cluster.printed(/node1 was ended by SIGKILL; it is started again/);
    const job = await ran(first);
    await cluster.kill();
    await until(
      async () => (await processes()).every((line) => line.includes("nats")),
      "masters and nodes are still there",
    );
    await cluster.start(ready);
    const jobs = await disco(["jobs"], told(cluster));
    assert.ok(jobs.includes(job), jobs);
    assert.equal(await cluster.end("SIGTERM"), 0, cluster.output);
    assert.deepEqual(await processes(), []);
  });
});

test("disco cluster up ends as its masters do that are given wrong settings", { skip: skipWithoutNats() }, async () => {
  const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: "" };
  const args = ["cluster", "up", "--port", "0", "--suspect-after", "1s"];
  const { code, stderr } = await runDisco(args, { root: folder, cwd: folder, env });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /master1 ended with status 2[^]*suspect_after is 1 s[^]*at least 1\.5s/);
});

test("disco cluster up says what is missing where no nats-server is on the path", async () => {
  const env = { PATH: folder, DISCO_CONFIG: "none", DISCO_TOKEN: "" };
  const { code, stderr } = await runDisco(["cluster", "up"], { root: folder, cwd: folder, env });
  assert.equal(code, 2);
  assert.match(stderr, /nats-server is not on the path[^]*apt install nats-server/);
});
