/** Who may read what an engine writes: its user alone, whatever the umask. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import { type DaemonSettings, daemonJournalName } from "../settings/daemon-settings.ts";
import { openDaemon } from "./daemon.ts";
import { openEmbedded } from "./embedded.ts";
import { packOf, scriptedMemoryBytes, scriptedWorker } from "./fixtures/packs.ts";

const temporary = mkdtempSync(join(tmpdir(), "disco-modes-"));
const umask = process.umask();
after(() => {
  process.umask(umask);
  rmSync(temporary, { recursive: true, force: true });
});

function settingsOf(root: string): DaemonSettings {
  return {
    root,
    host: "127.0.0.1",
    port: 0,
    node: "localhost",
    workers: 1,
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
  };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const modesOf = (paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, modeOf(path)]));
const all = (paths: readonly string[], mode: string): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, mode]));

describe("with any umask", { skip: process.platform === "win32" ? "modes are those of POSIX" : false }, () => {
  for (const mask of [0o000, 0o022]) {
    test(`${mask.toString(8)}: a daemon's root, journal, job packs and events are for its user only`, async () => {
      process.umask(mask);
      const above = join(temporary, `daemon-${mask}`);
      const root = join(above, "root");
      const daemon = await openDaemon(settingsOf(root), { workerScript: scriptedWorker });
      try {
        const { master } = daemon;
        const job = await master.submit(packOf(["ok"]));
        await master.results([job], 30_000);
        const data = join(root, "data");
        const kept = join(data, jobDirectory(masterHost, job));
        const home = join(data, jobDirectory("localhost", job));
        const directories = [
          root,
          data,
          join(data, masterHost),
          kept,
          join(data, "localhost"),
          home,
          join(home, "work"),
        ];
        assert.deepEqual(modesOf(directories), all(directories, "700"));
        for await (const _event of master.events(job, 0));
        const journals = readdirSync(root).filter((name) => name.startsWith(daemonJournalName));
        assert.deepEqual(journals.sort(), ["", "-reserve", "-wal"].map((end) => daemonJournalName + end).sort());
        const files = [...journals, "daemon.json"].map((name) => join(root, name));
        files.push(join(kept, "jobfile"), join(kept, "events"), join(home, "jobfile"));
        assert.deepEqual(modesOf(files), all(files, "600"));
        assert.equal(modeOf(above), (0o777 & ~mask).toString(8), "what is above the root is as ever");
      } finally {
        await daemon.close();
      }
    });
  }

  test("a root that was there keeps its mode, and its journal is private all the same", async () => {
    process.umask(0o022);
    const root = join(temporary, "shared");
    mkdirSync(root);
    const options = { slots: 1, workerScript: scriptedWorker, memoryLimitBytes: scriptedMemoryBytes };
    const master = await openEmbedded({ root, ...options });
    await master.close();
    assert.deepEqual([modeOf(root), modeOf(join(root, "journal.sqlite"))], ["755", "600"]);
  });
});
