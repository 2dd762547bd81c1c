/** `disco start`, `status`, `restart` and `stop` with real processes, as a shell sees them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { isAlive } from "../../src/cli/daemon/process.ts";
import { type Finished, runDisco } from "../run-disco.ts";

interface Report {
  readonly running: boolean;
  readonly started?: boolean;
  readonly stopped?: boolean;
  readonly pid: number;
  readonly url: string;
  readonly instance: string;
  readonly log: string;
  readonly activeJobs?: number | null;
  readonly problem?: string | null;
  readonly jobs?: { readonly active: number };
  readonly nodes?: readonly { readonly name: string; readonly slots: number }[];
  readonly scheduler?: { readonly policy: string };
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

const secret = "a-token-that-nobody-may-see-anywhere";
const folders: string[] = [];
const pids = new Set<number>();
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "disco-daemon-"));
  folders.push(root);
});
/** Whatever a test has left running. */
afterEach(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  pids.clear();
});
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }))));

/** Nothing of this machine's own settings counts, and ports are free ones. */
async function disco(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const quiet = { DISCO_CONFIG: "none", DISCO_PORT: "0", DISCO_WORKERS: "1", DISCO_TOKEN: "", DISCO_MASTER: "" };
  const finished = await runDisco(args, { root, cwd: root, env: { ...quiet, ...env } });
  const pid = /process id (\d+)|"pid": (\d+)/.exec(finished.stdout);
  if (pid !== null && (args[0] === "start" || args[0] === "restart")) pids.add(Number(pid[1] ?? pid[2]));
  return finished;
}

async function report(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await disco([...args, "--json"], env);
  assert.match(stdout, /^\{/, `${args.join(" ")}: ${stderr}`);
  return { ...(JSON.parse(stdout) as Report), code };
}

function record(): { readonly pid: number; readonly url: string; readonly instance: string } {
  return JSON.parse(readFileSync(join(root, "daemon.json"), "utf8")) as { pid: number; url: string; instance: string };
}

describe("disco start", () => {
  it("starts a daemon that stays, says where it is and what to do next, and stop ends it", async () => {
    const started = await disco(["start"]);
    assert.equal(started.code, 0, started.stderr);
    const { pid, url } = record();
    for (const told of [
      `process id ${pid}`,
      url,
      root,
      join(root, "daemon.log"),
      "disco run",
      "disco jobs",
      "disco stop",
    ]) {
      assert.ok(started.stdout.includes(told), `${told} is in ${started.stdout}`);
    }
    const health = (await (await fetch(`${url}/healthz`)).json()) as { instance: string; pid: number };
    assert.equal(health.instance, record().instance);
    assert.equal(health.pid, pid);

    const status = await report(["status"]);
    assert.equal(status.code, 0);
    assert.equal(status.running, true);
    assert.equal(status.pid, pid);
    assert.deepEqual(status.jobs, { active: 0, ready: 0, dead: 0 });
    assert.deepEqual(
      status.nodes?.map(({ slots }) => slots),
      [1],
    );
    const shown = await disco(["status"]);
    assert.match(shown.stdout, /^The daemon runs, with process id \d+\.$/m);
    assert.match(shown.stdout, /^ {2}jobs +0 active, 0 ready, 0 dead$/m);
    assert.match(shown.stdout, /^ {2}node localhost +0 of 1 slots busy, .* free on its disk$/m);

    const stopped = await report(["stop"]);
    assert.equal(stopped.code, 0);
    assert.equal(stopped.stopped, true);
    assert.equal(stopped.activeJobs, 0);
    assert.ok(!isAlive(pid), "the process has ended");
    assert.ok(!existsSync(join(root, "daemon.json")));
    assert.equal((await disco(["status"])).code, 3);
    const again = await disco(["stop"]);
    assert.equal(again.code, 0);
    assert.match(again.stdout, /^No daemon runs on /);
  });

  it("leaves a log and records that only their owner can read", async () => {
    await disco(["start"]);
    for (const name of ["daemon.log", "daemon.json", "daemon-start.json"]) {
      assert.equal(statSync(join(root, name)).mode & 0o777, 0o600, name);
    }
    await disco(["stop"]);
    const lines = readFileSync(join(root, "daemon.log"), "utf8").trim().split("\n");
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    for (const message of ["started", "stopping", "stopped"]) assert.ok(messages.includes(message), messages.join());
  });

  it("says that a daemon runs already, and refuses other settings than it has", async () => {
    const first = await report(["start", "--scheduler", "fifo"]);
    const second = await report(["start"]);
    assert.equal(second.code, 0);
    assert.equal(second.started, false);
    assert.equal(second.pid, first.pid);
    const same = await report(["start", "--scheduler", "fifo", "--workers", "1"]);
    assert.equal(same.code, 0);
    const other = await report(["start", "--workers", "2"], { DISCO_SCHEDULER: "fair" });
    assert.equal(other.code, 2);
    assert.equal(other.error?.code, "other-settings");
    assert.match(other.error?.message ?? "", /workers is 1, not 2 \(--workers\)/);
    assert.match(other.error?.message ?? "", /scheduler is fifo, not fair \(DISCO_SCHEDULER in the environment\)/);
    assert.match(other.error?.hint ?? "", /disco restart/);
    assert.equal(record().instance, first.instance);
  });

  it("makes one daemon when it is called twice at once", async () => {
    const both = await Promise.all([report(["start"]), report(["start"])]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    assert.deepEqual(new Set(both.map(({ instance }) => instance)), new Set([record().instance]));
    assert.deepEqual(both.map(({ started }) => started).sort(), [false, true]);
  });

  it("starts behind a daemon that was killed, whose file is stale", async () => {
    const first = await report(["start"]);
    process.kill(first.pid, "SIGKILL");
    const status = await report(["status"]);
    assert.equal(status.code, 3);
    assert.match(status.problem ?? "", /has ended without cleaning up/);
    const second = await report(["start"]);
    assert.equal(second.code, 0);
    assert.notEqual(second.instance, first.instance);
    assert.equal((await report(["status"])).pid, second.pid);
  });

  it("says who has the port: another program, or a daemon of another root", async () => {
    const server = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      const refused = await report(["start", "--port", String(port)]);
      assert.equal(refused.code, 1);
      assert.equal(refused.error?.code, "port-in-use");
      assert.match(refused.error?.message ?? "", new RegExp(String(port)));
      const doctor = await disco(["doctor", "--port", String(port)]);
      assert.equal(doctor.code, 1);
      assert.match(doctor.stdout, new RegExp(`127.0.0.1:${port} is taken by another program`));
    } finally {
      server.close();
    }
    const running = await report(["start"]);
    const other = await mkdtemp(join(tmpdir(), "disco-daemon-"));
    folders.push(other);
    const doctor = await disco(["doctor", "--root", other, "--port", new URL(running.url).port]);
    assert.match(doctor.stdout, /is taken by a Disco daemon of another root/);
  });

  it("refuses a root that cannot be one", async () => {
    await writeFile(join(root, "file"), "");
    const refused = await report(["start", "--root", join(root, "file", "below")]);
    assert.equal(refused.code, 1);
    assert.equal(refused.error?.code, "bad-root");
    assert.match(refused.error?.message ?? "", /file\/below cannot be used: ENOTDIR/);
    const doctor = await disco(["doctor", "--root", join(root, "file", "below")]);
    assert.equal(doctor.code, 1);
  });

  it("refuses a journal of a newer version, and leaves it alone", async () => {
    await disco(["start"]);
    await disco(["stop"]);
    const journal = new DatabaseSync(join(root, "master.sqlite"));
    journal.exec("PRAGMA user_version = 999");
    journal.close();
    const refused = await report(["start"]);
    assert.equal(refused.code, 1);
    assert.equal(refused.error?.code, "newer-version");
    assert.ok(!existsSync(join(root, "daemon.json")));
    const doctor = await disco(["doctor"]);
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /has version 999/);
  });

  it("gives the end of the log when the daemon dies before it says why", async () => {
    const crash = "if (process.argv.includes('--foreground')) { console.error('no luck today'); process.exit(7); }";
    const options = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` };
    const refused = await report(["start"], options);
    assert.equal(refused.code, 1);
    assert.equal(refused.error?.code, "start-failed");
    assert.match(refused.error?.message ?? "", /ended with status 7/);
    assert.match(refused.error?.message ?? "", /no luck today/);
  });

  it("puts a large log aside", async () => {
    await writeFile(join(root, "daemon.log"), Buffer.alloc(11 * 2 ** 20, "x"));
    await disco(["start"]);
    assert.ok(statSync(join(root, "daemon.log.1")).size > 11 * 2 ** 20 - 1);
    assert.ok(statSync(join(root, "daemon.log")).size < 2 ** 20);
  });
});

describe("disco start --foreground", () => {
  it("logs JSON lines, means nothing by SIGHUP, and stops in good order at SIGTERM", async () => {
    const running = disco(["start", "--foreground"]);
    const { pid } = await whenServing();
    process.kill(pid, "SIGHUP");
    assert.equal((await report(["status"])).running, true);
    process.kill(pid, "SIGTERM");
    const { code, stdout } = await running;
    assert.equal(code, 0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    assert.ok(lines.some(({ msg }) => msg === "started"));
    assert.equal(lines.at(-1)?.msg, "stopped");
    assert.ok(!existsSync(join(root, "daemon.json")));
  });

  it("is refused where a daemon runs", async () => {
    await report(["start"]);
    const second = await disco(["start", "--foreground"]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /is in use by the daemon with process id \d+/);
    assert.equal((await report(["status"])).running, true);
  });
});

describe("disco stop", () => {
  it("does not touch a process that only has the id of a daemon that has ended", async () => {
    const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)", "start", "--foreground"], {
      stdio: "ignore",
    });
    await once(bystander, "spawn");
    try {
      const stale = { pid: bystander.pid, url: "http://127.0.0.1:9", instance: "gone", version: "0.0.0", startedAt: 0 };
      await writeFile(join(root, "daemon.json"), JSON.stringify(stale));
      for (const args of [["stop"], ["stop", "--force", "--timeout", "0"]]) {
        const { code, stdout } = await disco(args);
        assert.equal(code, 0);
        assert.match(stdout, /^No daemon runs on/);
      }
      assert.equal(bystander.exitCode, null);
      assert.equal(bystander.signalCode, null);
      const doctor = await disco(["doctor"]);
      assert.match(doctor.stdout, /its file is there: process \d+ is another program now/);
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  it("ends a daemon that does not answer only by force", async () => {
    const { pid } = await report(["start"]);
    process.kill(pid, "SIGSTOP");
    const [status, refused, starting] = await Promise.all([report(["status"]), report(["stop"]), report(["start"])]);
    assert.equal(status.code, 3);
    assert.match(status.problem ?? "", /does not answer/);
    assert.equal(refused.error?.code, "daemon-silent");
    assert.match(refused.error?.hint ?? "", /disco stop --force/);
    assert.equal(starting.error?.code, "daemon-silent");
    const forced = await report(["stop", "--force", "--timeout", "0"]);
    assert.equal(forced.code, 0);
    assert.equal(forced.stopped, true);
    assert.ok(!isAlive(pid));
    assert.equal((await report(["start"])).code, 0);
  });
});

describe("disco restart", () => {
  it("starts the daemon with the options it had, apart from those that are given", async () => {
    const first = await report(["start", "--workers", "2", "--node", "n1"]);
    const second = await report(["restart", "--scheduler", "fifo"]);
    assert.equal(second.code, 0);
    assert.notEqual(second.instance, first.instance);
    const status = await report(["status"]);
    assert.equal(status.scheduler?.policy, "fifo");
    assert.deepEqual(
      status.nodes?.map(({ name, slots }) => [name, slots]),
      [["n1", 2]],
    );
    const refused = await report(["restart", "--scheduler", "lifo"]);
    assert.equal(refused.code, 2);
    assert.equal(record().instance, second.instance, "what is wrong with the settings leaves the daemon as it is");
  });

  it("starts a daemon where none runs", async () => {
    assert.equal((await report(["restart"])).started, true);
  });
});

describe("tokens of a daemon", () => {
  it("are in no list of processes, file, log or output, nor in the environment of workers", async () => {
    const env = { DISCO_TOKEN: secret };
    const outputs = [await disco(["start", "--log-level", "trace"], env)];
    const { pid, url } = record();
    outputs.push(
      await disco(["status", "--json"], env),
      await disco(["config", "--json"], env),
      await disco(["config"], env),
      await disco(["doctor", "--json"], env),
      await disco(["start", "--json"], env),
      await disco(["start", "--workers", "7"], env),
    );
    await fetch(`${url}/api/v1/master`, { headers: { authorization: `Bearer ${secret}x` } });
    await fetch(`${url}/api/v1/master`, { headers: { authorization: `Bearer ${secret}` } });
    const processes = [pid, ...childrenOf(pid)];
    assert.ok(processes.length > 1, "there is a worker");
    for (const one of processes) outputs.push({ code: 0, signal: null, stdout: procFile(one, "cmdline"), stderr: "" });
    for (const one of childrenOf(pid))
      outputs.push({ code: 0, signal: null, stdout: procFile(one, "environ"), stderr: "" });
    outputs.push(await disco(["stop", "--json"], env));
    for (const name of ["daemon.log", "daemon-start.json"]) {
      outputs.push({ code: 0, signal: null, stdout: await readFile(join(root, name), "utf8"), stderr: "" });
    }
    for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(secret), stdout + stderr);
  });

  it("are needed to see how it is, and are not lost at a restart from a shell that has none", async () => {
    const env = { DISCO_TOKEN: secret };
    const first = await report(["start"], env);
    assert.equal((await report(["status"], env)).problem, null);
    const blind = await report(["status"]);
    assert.equal(blind.code, 0);
    assert.match(blind.problem ?? "", /asks for a token/);
    assert.match(
      (await report(["status"], { DISCO_TOKEN: "another-token-of-somebody" })).problem ?? "",
      /does not know this token/,
    );
    const refused = await report(["restart"]);
    assert.equal(refused.code, 2);
    assert.equal(refused.error?.code, "token-needed");
    assert.equal(record().instance, first.instance);
    assert.equal((await report(["restart"], env)).code, 0);
    assert.match((await report(["status"])).problem ?? "", /asks for a token/);
  });

  it("are needed for an address that others reach: without one nothing is started", async () => {
    const refused = await report(["start", "--host", "0.0.0.0"]);
    assert.equal(refused.code, 2);
    assert.equal(refused.error?.code, "token-needed");
    assert.ok(!existsSync(join(root, "daemon.log")));
    const file = join(root, "token");
    const made = await disco(["token", "new", file]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const started = await report(["start", "--host", "0.0.0.0", "--token-file", file, "--node", "n1"]);
    assert.equal(started.code, 0, JSON.stringify(started));
    assert.equal((await report(["status"], { DISCO_TOKEN_FILE: file })).problem, null);
  });
});

describe("disco doctor", () => {
  it("finds nothing wrong with a daemon that runs, and says so in JSON as well", async () => {
    await report(["start"]);
    const { code, stdout } = await disco(["doctor", "--json"]);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { check: string; state: string; message: string }[];
    };
    const wrong = findings.filter(({ state }) => state === "fail");
    assert.deepEqual(wrong, []);
    assert.equal(code, 0);
    assert.equal(ok, true);
    for (const check of ["node", "settings", "root", "disk", "temporary", "clock", "daemon", "daemon-clock"]) {
      assert.ok(
        findings.some((finding) => finding.check === check),
        check,
      );
    }
  });

  it("goes through bad settings and misspelt variables with what to do", async () => {
    await writeFile(join(root, "bad.toml"), "port = 8989\nworkerz = 1\n");
    const bad = await disco(["doctor", "--config", join(root, "bad.toml")], { DISCO_PROT: "1", DISCO_CONFIG: "" });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /bad\.toml line 2: there is no setting workerz\n.*Did you mean workers\?/);
    assert.match(bad.stdout, /DISCO_PROT is no setting\n.*Did you mean DISCO_PORT\?/);
    assert.match(bad.stdout, /1 problem, 1 warning\.$/m);
  });
});

/** Waits for the file of the daemon, without a sleep of its own: each look is a command. */
async function whenServing(): Promise<{ readonly pid: number }> {
  const until = Date.now() + 20_000;
  while (Date.now() < until) if ((await report(["status"])).running) return record();
  throw new Error("the daemon does not serve");
}

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return list === "" ? [] : list.split(" ").map(Number);
}

function procFile(pid: number, name: "cmdline" | "environ"): string {
  return readFileSync(`/proc/${pid}/${name}`, "utf8");
}
