/** `disco start`: in the background, in the foreground, and whatever may stand in its way. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { masterFlags } from "../../src/cli/daemon/master-flags.ts";
import { isAlive } from "../../src/cli/daemon/process.ts";
import { startDaemon } from "./daemon.test-kit.ts";
import { daemonCommands } from "./daemon-commands.ts";

const commands = daemonCommands();
const { disco, report, record } = commands;

describe("disco start", () => {
  it("starts a daemon that stays, says where it is and what to do next, and stop ends it", async () => {
    const started = await disco(["start"]);
    assert.equal(started.code, 0, started.stderr);
    const { pid, url } = record();
    for (const told of [
      `process id ${pid}`,
      url,
      commands.root,
      join(commands.root, "daemon.log"),
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
    assert.ok(!existsSync(join(commands.root, "daemon.json")));
    assert.equal((await disco(["status"])).code, 3);
    const again = await disco(["stop"]);
    assert.equal(again.code, 0);
    assert.match(again.stdout, /^No daemon runs on /);
  });

  it("leaves a log and records that only their owner can read", async () => {
    await disco(["start"]);
    for (const name of ["daemon.log", "daemon.json", "daemon-start.json"]) {
      assert.equal(statSync(join(commands.root, name)).mode & 0o777, 0o600, name);
    }
    await disco(["stop"]);
    const lines = readFileSync(join(commands.root, "daemon.log"), "utf8").trim().split("\n");
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
    assert.match(
      other.error?.message ?? "",
      /scheduler\.policy is fifo, not fair \(DISCO_SCHEDULER in the environment\)/,
    );
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
    assert.deepEqual(
      both.map(({ started }) => started).toSorted((a, b) => Number(a) - Number(b)),
      [false, true],
    );
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
    const other = await commands.newFolder();
    const doctor = await disco(["doctor", "--root", other, "--port", new URL(running.url).port]);
    assert.match(doctor.stdout, /is taken by a Disco daemon or master of another root/);
  });

  it("refuses a root that cannot be one", async () => {
    await writeFile(join(commands.root, "file"), "");
    const refused = await report(["start", "--root", join(commands.root, "file", "below")]);
    assert.equal(refused.code, 1);
    assert.equal(refused.error?.code, "bad-root");
    assert.match(refused.error?.message ?? "", /file\/below cannot be used: ENOTDIR/);
    const doctor = await disco(["doctor", "--root", join(commands.root, "file", "below")]);
    assert.equal(doctor.code, 1);
  });

  it("refuses a journal of a newer version, and leaves it alone", async () => {
    await disco(["start"]);
    await disco(["stop"]);
    const journal = new DatabaseSync(join(commands.root, "master.sqlite"));
    journal.exec("PRAGMA user_version = 999");
    journal.close();
    const refused = await report(["start"]);
    assert.equal(refused.code, 1);
    assert.equal(refused.error?.code, "newer-version");
    assert.ok(!existsSync(join(commands.root, "daemon.json")));
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
    await writeFile(join(commands.root, "daemon.log"), Buffer.alloc(11 * 2 ** 20, "x"));
    await disco(["start"]);
    assert.ok(statSync(join(commands.root, "daemon.log.1")).size > 11 * 2 ** 20 - 1);
    assert.ok(statSync(join(commands.root, "daemon.log")).size < 2 ** 20);
  });
});

describe("disco config", () => {
  it("lists settings by the names that disco.toml has for them, and by their variables where they have none", async () => {
    const { stdout, code } = await disco(["config"]);
    assert.equal(code, 0);
    const names = [...stdout.matchAll(/^(\S+) {2,}/gm)].map(([, name]) => name);
    for (const name of ["gc_after", "disk_reserve", "scheduler.policy", "scheduler.alpha", "DISCO_TOKEN"]) {
      assert.ok(names.includes(name), `${name} in ${names}`);
    }
    assert.doesNotMatch(stdout, /gcAfter|diskReserve/);
    const { settings } = (await report(["config"])) as unknown as {
      readonly settings: Readonly<Record<string, { readonly key: string | null; readonly variable: string }>>;
    };
    assert.deepEqual(
      [settings["gcAfter"]?.key, settings["gcAfter"]?.variable, settings["token"]?.key],
      ["gc_after", "DISCO_GC_AFTER", null],
    );
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
    assert.ok(!existsSync(join(commands.root, "daemon.json")));
  });

  const hasCommandLines = existsSync("/proc/self/cmdline");

  it("takes the memory flags of a master, as the process that it was", { skip: !hasCommandLines }, async () => {
    await using daemon = await startDaemon({ becomesMaster: true });
    assert.equal(daemon.record().pid, daemon.pid);
    const line = readFileSync(`/proc/${daemon.pid}/cmdline`, "utf8").split("\0");
    assert.deepEqual(line.slice(1, 1 + masterFlags.length), masterFlags);
  });

  it("is refused where a daemon runs", async () => {
    await report(["start"]);
    const second = await disco(["start", "--foreground"]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /is in use by the daemon with process id \d+/);
    assert.equal((await report(["status"])).running, true);
  });
});

/** Waits for the file of the daemon, without a sleep of its own: each look is a command. */
async function whenServing(): Promise<{ readonly pid: number }> {
  const until = Date.now() + 20_000;
  while (Date.now() < until) if ((await report(["status"])).running) return record();
  throw new Error("the daemon does not serve");
}
