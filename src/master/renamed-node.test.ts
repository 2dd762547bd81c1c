/** What becomes of a root whose daemon starts under another name of its node. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { JobInfo } from "../client/master-api.ts";
import { jobDirectory } from "../node/job-directory.ts";
import type { DaemonSettings } from "../settings/daemon-settings.ts";
import { type Daemon, openDaemon } from "./daemon.ts";
import { packOf, scriptedWorker } from "./fixtures/packs.ts";
import { type Log, silentLog } from "./log.ts";

const root = await mkdtemp(join(tmpdir(), "disco-renamed-"));
after(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

/** As the scripted worker calls its node in what it reports. */
const old = "localhost";

function open(node: string, warnings: object[] = []): Promise<Daemon> {
  const settings: DaemonSettings = {
    root,
    host: "127.0.0.1",
    port: 0,
    node,
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
  };
  const log: Log = { ...silentLog, warn: (fields, message) => warnings.push({ ...fields, message }) };
  return openDaemon(settings, { workerScript: scriptedWorker, log });
}

const nodesOf = async ({ master }: Daemon): Promise<string[]> => (await master.nodeInfo()).map(({ name }) => name);

test("the old name is forgotten when no active job reads from it; results and files of before are still at hand", async () => {
  const first = await open(old);
  const ended = await first.master.submit(packOf(["put"]));
  assert.equal((await first.master.results([ended], 30_000))[0]?.status, "ready");
  const active = await first.master.submit(packOf(["ok", "hang"]));
  const isHanging = ({ stages }: JobInfo): boolean => stages[1]?.running === 1;
  for await (const info of first.master.progress(active, { intervalMs: 1 })) if (isHanging(info)) break;
  await first.close();

  const warnings: object[] = [];
  const second = await open("new", warnings);
  try {
    const [{ message, ...fields }] = warnings as [{ message: string }];
    assert.deepEqual(fields, { node: "new", before: [old] });
    assert.match(message, /another name than before: results .* stay readable here; active jobs run again/);
    assert.deepEqual(await nodesOf(second), [old, "new"], "an active job has read from the old one");
    const file = `${jobDirectory(old, ended)}/.disco/oob-0-0-0-0`;
    const answer = await fetch(`${second.url}/disco/${file}`);
    assert.deepEqual([answer.status, await answer.text()], [200, "from put:0"]);
    assert.equal((await fetch(`${second.url}/disco/${file.replace(old, "other")}`)).status, 404);
    await second.master.kill(active);
    for (let names: string[] = []; names.length !== 1; names = await nodesOf(second));
    assert.deepEqual(await nodesOf(second), ["new"]);
    assert.ok(existsSync(join(root, "data", file)));
    await second.master.purge(ended);
    assert.ok(!existsSync(join(root, "data", jobDirectory(old, ended))), "its files are deleted where they are");
  } finally {
    await second.close();
  }

  const third = await open("new", warnings);
  try {
    assert.equal(warnings.length, 1, "that is told once");
    assert.deepEqual(await nodesOf(third), ["new"]);
  } finally {
    await third.close();
  }
});
