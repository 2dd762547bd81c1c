/**
 * The disk of a daemon fills while jobs run: a small file system in memory as its root. The master becomes read-only, with an alarm;
 * when there is room it goes on by itself, and nothing that was acknowledged is missing.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import type { MasterInfo } from "../../src/client/master-api.ts";
import { Disco, type Job, resultIterator } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

const megabyte = 2 ** 20;
const diskBytes = 48 * megabyte;
const env = { DISCO_DISK_RESERVE: "8MiB", DISCO_NODE: "localhost" };

const disk = mkdtempSync(join(tmpdir(), "disco-read-only-"));
const elsewhere = mkdtempSync(join(tmpdir(), "disco-read-only-"));
const ballast = join(disk, "ballast");

/** Why there is no such disk here; `false` when there is. */
function mountFails(): string | false {
  if (process.platform !== "linux") return "only Linux has file systems in memory";
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "disco-test", disk], { stdio: "pipe" });
    return false;
  } catch (error) {
    return `mounting a file system needs more rights: ${(error as Error).message.split("\n")[1] ?? ""}`;
  }
}

const skip = mountFails();
after(() => {
  if (skip === false) execFileSync("umount", ["--lazy", disk]);
  for (const folder of [disk, elsewhere]) rmSync(folder, { recursive: true, force: true });
});

afterEach(() => rmSync(ballast, { force: true }));

/** To the last byte. */
function fill(): void {
  try {
    for (;;) writeFileSync(ballast, new Uint8Array(4096).fill(1), { flag: "a" });
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
}

async function masterOf(daemon: TestDaemon): Promise<MasterInfo> {
  return (await (await fetch(`${daemon.url}/api/v1/master`)).json()) as MasterInfo;
}

async function until(daemon: TestDaemon, readOnly: boolean): Promise<MasterInfo> {
  for (;;) {
    const info = await masterOf(daemon);
    if (info.readOnly === readOnly && info.alarms.length === (readOnly ? 1 : 0)) return info;
    await passed(100);
  }
}

/** Its tasks wait until the gate is there. */
function gatedJob(disco: Disco, gate: string, tasks: number): Promise<Job> {
  return disco.newJob("gated", {
    input: Array.from({ length: tasks }, (_, i) => `raw://${i}`),
    params: { gate },
    async map(line, params): Promise<[string, number][]> {
      const { existsSync } = await import("node:fs");
      while (!existsSync(params.gate)) await new Promise((resolve) => setTimeout(resolve, 20));
      return [[line, 1]];
    },
  });
}

async function messagesOf(job: Job): Promise<string[]> {
  const messages: string[] = [];
  for await (const [, { message }] of job.events()) messages.push(message);
  return messages;
}

async function refused(daemon: TestDaemon, path: string, body?: Uint8Array | string): Promise<void> {
  const init = body === undefined ? {} : { body: Buffer.from(body), headers: { "content-type": contentType(body) } };
  const response = await fetch(`${daemon.url}/api/v1/${path}`, { method: "POST", ...init });
  const { error } = (await response.json()) as { error: Record<string, string> };
  assert.equal(error["code"], "read-only", JSON.stringify(error));
  assert.equal(error["retry"], "here", JSON.stringify(error));
  assert.match(error["hint"] ?? "", /[Mm]ake room/);
  assert.ok(response.status >= 500, String(response.status));
}

function contentType(body: Uint8Array | string): string {
  return typeof body === "string" ? "application/json" : "application/octet-stream";
}

describe("a daemon whose disk fills", { skip, timeout: 120_000 }, () => {
  test("is read-only with an alarm, answers questions, and goes on by itself when there is room", async () => {
    await using daemon = await startDaemon({ root: disk, env });
    await using disco = new Disco(daemon.address);
    const before = await disco.newJob("before", { input: ["raw://x"], map: (line) => [[line, 1] as const] });
    await before.wait({ timeout: 60 });
    const pack = await before.jobspec();
    const gate = join(elsewhere, "gate-1");
    const job = await gatedJob(disco, gate, 4);
    fill();
    const { alarms } = await until(daemon, true);
    assert.equal(alarms[0]?.code, "disk-full");
    assert.match(alarms[0]?.message ?? "", /\d MB are free, 8\.4 MB/);
    assert.equal((await fetch(`${daemon.url}/readyz`)).ok, false);

    // Questions are answered, nothing new is taken.
    assert.equal((await disco.jobinfo(job)).status, "active");
    assert.equal((await disco.joblist()).length, 2);
    await refused(daemon, "jobs", pack);
    await refused(daemon, "nodes/localhost/blacklist");

    // The tasks end meanwhile: nothing starts again before there is room.
    writeFileSync(gate, "");
    await passed(500);
    assert.equal((await disco.jobinfo(job)).status, "active");
    rmSync(ballast);
    await until(daemon, false);
    assert.equal((await resultIterator(await job.wait({ timeout: 60 })).toArray()).length, 4);
    const messages = await messagesOf(job);
    assert.ok(
      messages.some((message) => message.includes("the master is read-only")),
      messages.join("\n"),
    );
    assert.ok(messages.some((message) => message.includes("There is room on the disk again")));
    assert.equal((await disco.joblist()).length, 2, "what was refused has left nothing");
    await daemon.stop();
  });

  test("to the last byte, so that not even its journal can grow, loses nothing, killed or not", async () => {
    for (const kill of [false, true]) {
      await using daemon = await startDaemon({ root: disk, env });
      await using disco = new Disco(daemon.address);
      const gate = join(elsewhere, `gate-2-${kill}`);
      const job = await gatedJob(disco, gate, 4);
      const known = (await disco.joblist()).length;
      fill();
      // A purge is a record; the journal's reserve is used up by some of them, and the disk is filled again.
      const purge = (): Promise<Response> =>
        fetch(`${daemon.url}/api/v1/jobs/${encodeURIComponent("gone@1:2:3")}/purge`, { method: "POST" });
      for (let answer = await purge(); answer.status < 500; answer = await purge()) fill();
      const { readOnly } = await masterOf(daemon);
      assert.equal(readOnly, true);
      writeFileSync(gate, "");
      await passed(500);
      assert.equal((await disco.jobinfo(job)).status, "active");
      if (kill) {
        await daemon.restart("kill");
        assert.equal((await disco.jobinfo(job)).status, "active");
        assert.equal((await masterOf(daemon)).readOnly, true);
      }
      rmSync(ballast);
      await until(daemon, false);
      assert.equal((await resultIterator(await job.wait({ timeout: 60 })).toArray()).length, 4);
      assert.equal((await disco.joblist()).length, known);
      const lines = (await messagesOf(job)).filter((message) => message.startsWith("DONE:"));
      assert.equal(new Set(lines.map((line) => line.split(" ")[1])).size, 4);
      assert.equal(lines.length, 4, "no task finished twice");
      await job.purge();
      await daemon.stop();
    }
  });
});
