/** The daemon in this process: who may open a root, what outlives a restart, garbage collection, and many jobs at once. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import type { DaemonRecord, DaemonSettings } from "../settings/daemon-settings.ts";
import { type Daemon, openDaemon } from "./daemon.ts";
import { packOf, scriptedWorker } from "./fixtures/packs.ts";

const temporary = await mkdtemp(join(tmpdir(), "disco-daemon-"));
after(() => rm(temporary, { recursive: true, force: true, maxRetries: 5 }));
let roots = 0;

function settingsOf(changes: Partial<DaemonSettings> = {}): DaemonSettings {
  return {
    root: join(temporary, String(roots++)),
    host: "127.0.0.1",
    port: 0,
    node: "localhost",
    workers: 2,
    labels: {},
    scheduler: { policy: "fair", alpha: 0.001 },
    gcAfterSeconds: null,
    tokens: {},
    allowedHosts: [],
    trustedNetworks: [],
    packBytesMax: 2 ** 30,
    diskReserveBytes: 0,
    ddfs: {
      blobReplicas: null,
      tagReplicas: 3,
      times: { graceMs: 1e9, intervalMs: null, lostAfterMs: 1e9, scrubIntervalMs: null },
    },
    logLevel: "silent",
    ...changes,
  };
}

async function using<T>(settings: DaemonSettings, act: (daemon: Daemon) => Promise<T>): Promise<T> {
  const daemon = await openDaemon(settings, { workerScript: scriptedWorker });
  try {
    return await act(daemon);
  } finally {
    await daemon.close();
  }
}

const filesOf = ({ root }: DaemonSettings, host: string, job: string): string =>
  join(root, "data", jobDirectory(host, job));

describe("a daemon's root", () => {
  test("has one daemon; another one is told which, where, and what to do", async () => {
    const settings = settingsOf();
    const record = join(settings.root, "daemon.json");
    await using(settings, async ({ url, instance }) => {
      const { pid, ...said } = JSON.parse(readFileSync(record, "utf8")) as DaemonRecord;
      assert.equal(pid, process.pid);
      assert.deepEqual([said.url, said.instance], [url, instance]);
      assert.equal(statSync(record).mode & 0o777, 0o600);
      await assert.rejects(openDaemon(settings), (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "root-busy");
        assert.ok(error.message.includes(String(pid)) && error.message.includes(url), error.message);
        assert.match(error.hint ?? "", /disco stop.*DISCO_ROOT/);
        return true;
      });
      assert.ok(existsSync(record), "the record of the one that runs stays");
    });
    assert.ok(!existsSync(record), "it goes with the daemon");
  });

  test("may have the record of a daemon that is dead", async () => {
    const settings = settingsOf();
    await mkdir(settings.root);
    const dead = { pid: 2 ** 22 + 1, url: "http://127.0.0.1:1", instance: "x", version: "0", startedAt: 0 };
    writeFileSync(join(settings.root, "daemon.json"), JSON.stringify(dead));
    await using(settings, async ({ instance }) => {
      const record = JSON.parse(readFileSync(join(settings.root, "daemon.json"), "utf8")) as DaemonRecord;
      assert.equal(record.instance, instance);
    });
  });

  test("is refused when a newer version has written it, and left as it is", async () => {
    const settings = settingsOf();
    await mkdir(settings.root);
    const db = new DatabaseSync(join(settings.root, "master.sqlite"));
    db.exec("CREATE TABLE records (seq INTEGER); PRAGMA application_id = 0x44697363; PRAGMA user_version = 99");
    db.close();
    await assert.rejects(openDaemon(settings), { code: "newer-version" });
    assert.ok(!existsSync(join(settings.root, "daemon.json")));
  });

  test("is left by half of an upload and by a name that no job came of, when a daemon is killed", async () => {
    const settings = settingsOf();
    const [gone, known] = ["job@1:2:3", await using(settings, ({ master }) => master.submit(packOf(["hang"])))];
    const incoming = join(settings.root, "data", "_incoming");
    writeFileSync(join(incoming, "upload-1"), "half of a pack");
    for (const job of [gone, known]) writeFileSync(join(incoming, `${job}.claim`), "");
    await mkdir(filesOf(settings, masterHost, gone), { recursive: true });
    await using(settings, async ({ master }) => {
      assert.deepEqual(await readdir(incoming), []);
      assert.ok(!existsSync(filesOf(settings, masterHost, gone)));
      assert.ok(existsSync(filesOf(settings, masterHost, known)));
      await master.purge(known);
    });
  });
});

describe("a daemon that is stopped and started again", () => {
  test("knows settings, configuration, blacklists, jobs and keys, and goes on with what was not finished", async () => {
    const settings = settingsOf();
    const [done, open] = await using(settings, async ({ master }) => {
      const first = await master.submit(packOf(["ok"]), { idempotencyKey: "first" });
      await master.results([first], 30_000);
      await master.saveSettings({ maxFailureRate: 7 });
      await master.saveConfigTable([["localhost", "1"]]);
      await master.gcBlacklistNode("old");
      await master.blacklist("localhost");
      return [first, await master.submit(packOf(["ok", "put"], { tasks: 3 }), { idempotencyKey: "second" })];
    });
    await using(settings, async ({ master }) => {
      assert.deepEqual(await master.settings(), { maxFailureRate: 7, acceptNewJobs: true });
      assert.deepEqual(await master.configTable(), [["localhost", "1"]]);
      assert.deepEqual(await master.gcBlacklist(), ["old"]);
      assert.deepEqual(
        (await master.nodeInfo()).map(({ slots, blacklisted }) => [slots, blacklisted]),
        [[1, true]],
      );
      assert.equal(await master.submit(packOf(["ok"]), { idempotencyKey: "first" }), done);
      assert.equal(await master.submit(packOf(["ok"]), { idempotencyKey: "second" }), open);
      assert.equal((await master.jobInfo(open)).status, "active");
      await master.whitelist("localhost");
      const [result] = await master.results([open], 30_000);
      assert.equal(result?.status, "ready");
      assert.equal((await master.masterInfo()).epoch, 2);
    });
  });

  test("stops within seconds though tasks run, and runs them again", async () => {
    const settings = settingsOf();
    const job = await using(settings, async ({ master }) => {
      const hanging = await master.submit(packOf(["hang"]));
      for await (const { hosts } of master.progress(hanging)) if (hosts.length > 0) break;
      return hanging;
    });
    await using(settings, async ({ master }) => {
      const page = await master.tasks(job);
      assert.deepEqual(
        page.tasks.map(({ status, attemptsMade, failures }) => [status, attemptsMade, failures]),
        [["running", 2, 0]],
      );
      await master.kill(job);
    });
  });
});

describe("garbage collection", () => {
  test("purges jobs so long after their end, files and records, also right after a start", async () => {
    const settings = settingsOf();
    const old = await using(settings, async ({ master }) => {
      const job = await master.submit(packOf(["put"]));
      await master.results([job], 30_000);
      return job;
    });
    assert.ok(existsSync(filesOf(settings, "localhost", old)));
    await using({ ...settings, gcAfterSeconds: 0 }, async ({ master }) => {
      while ((await master.jobList()).length > 0) await new Promise((resolve) => setImmediate(resolve));
      const next = await master.submit(packOf(["put"]));
      await master.results([next], 30_000);
      while ((await master.jobList()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await master.purge(next);
      for (const job of [old, next]) {
        for (const host of ["localhost", masterHost])
          assert.ok(!existsSync(filesOf(settings, host, job)), `${host} ${job}`);
      }
    });
  });
});

describe("many jobs at once", () => {
  test("are all run", async () => {
    await using(settingsOf(), async ({ master }) => {
      const pack = packOf(["ok"]);
      const jobs = await Promise.all(Array.from({ length: 200 }, () => master.submit(pack)));
      assert.equal(new Set(jobs).size, jobs.length);
      for (let open = jobs; open.length > 0; ) {
        const results = await master.results(open, 60_000);
        open = results.filter(({ status }) => status === "active").map(({ name }) => name);
        assert.ok(results.every(({ status }) => status !== "dead"));
      }
    });
  });

  test("are refused while an operator has switched that off", async () => {
    await using(settingsOf(), async ({ master }) => {
      await master.saveSettings({ acceptNewJobs: false });
      await assert.rejects(master.submit(packOf(["ok"])), { code: "jobs-not-accepted" });
      await master.saveSettings({ acceptNewJobs: true });
      const job = await master.submit(packOf(["ok"]));
      assert.equal((await master.results([job], 30_000))[0]?.status, "ready");
    });
  });
});
