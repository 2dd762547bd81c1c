/** A node whose master answers late, or not at all: what became of attempts that could not begin. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { MemoryBus } from "../bus/memory.ts";
import { CommError, DiscoError } from "../errors.ts";
import { encodeJobPack } from "../protocol/jobpack.ts";
import type { Assignment, NodeReport } from "../protocol/messages.ts";
import { Node } from "./node.ts";

const folder = await mkdtemp(join(tmpdir(), "disco-node-"));
after(() => rm(folder, { recursive: true, force: true }));

const packFile = join(folder, "pack");
const jobdict = { prefix: "job", owner: "me", worker: "w", pipeline: [], inputs: [] };
await writeFile(packFile, encodeJobPack({ jobdict, jobenvs: {}, files: {}, jobdata: new Uint8Array(0) }));

/** Assigns a reduce to a node whose master answers as given, and returns the first report. */
async function reportOf(answers: { readonly pack?: Error; readonly manifest?: Error }): Promise<NodeReport> {
  const bus = new MemoryBus();
  const reported = Promise.withResolvers<NodeReport>();
  const or = <T>(failure: Error | undefined, answer: T): T => {
    if (failure !== undefined) throw failure;
    return answer;
  };
  bus.serve("master.m.join.h", () => toJsonBytes({ epoch: 1, dataServers: {} }));
  bus.serve("master.m.pack.h", () => or(answers.pack, toJsonBytes({ file: packFile })));
  bus.serve("master.m.manifest.h", () => or(answers.manifest, toJsonBytes({ stage: 0, version: 0, outputs: [] })));
  bus.serve("master.m.oob.h", () => toJsonBytes({}));
  bus.serve("master.m.report.h", (bytes) => {
    const [report] = fromJsonBytes<{ reports: NodeReport[] }>(bytes).reports;
    if (report !== undefined) reported.resolve(report);
    return undefined;
  });
  const dataDir = await mkdtemp(join(folder, "data-"));
  const memoryLimitBytes = 2 ** 28;
  const node = new Node({
    host: "h",
    dataDir,
    bus,
    instance: "m",
    slots: 1,
    queueDepth: 1,
    labels: {},
    master: () => "disco://localhost",
    memoryLimitBytes,
  });
  node.serve();
  await node.start();
  const assignment: Assignment = {
    ...id,
    epoch: 1,
    stageName: "reduce",
    group: { label: 0, host: null },
    input: { kind: "stage", stage: 0, version: 0, label: 0 },
    taskTimeoutMs: null,
    memoryLimitBytes,
  };
  try {
    await bus.request("node.h.assign", toJsonBytes({ epoch: 1, assignments: [assignment] }), 10_000);
    return await reported.promise;
  } finally {
    await node.close();
    await bus.close();
  }
}

const id = { job: "job@1:2:3", stage: 1, task: 4, attempt: 2 };

describe("an attempt that cannot begin", { timeout: 30_000 }, () => {
  it("is lost, not failed, when what it reads has changed since it was assigned", async () => {
    const manifest = new DiscoError("stage 0 has no version 0 now", { code: "no-manifest", retry: "here" });
    assert.deepEqual(await reportOf({ manifest }), {
      kind: "lost",
      ...id,
      reason: "its input changed before it could begin",
    });
  });

  it("is lost when the master does not answer in time", async () => {
    const pack = new CommError("no reply from master.pack", { code: "bus-timeout" });
    assert.deepEqual(await reportOf({ pack }), { kind: "lost", ...id, reason: "the master did not answer in time" });
  });

  it("has failed when its files cannot be prepared for any other reason", async () => {
    const pack = new Error("the pack is gone");
    const report = await reportOf({ pack });
    assert.equal(report.kind, "failed");
    assert.ok(
      report.kind === "failed" && /could not be prepared on the node: the pack is gone/.test(report.failure.message),
    );
  });
});
