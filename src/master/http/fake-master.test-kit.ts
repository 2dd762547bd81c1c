/** A master for tests of the server: it knows one job, `job@1`, and notes what would change something. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent, JobInfo, JobListEntry, MasterSettings } from "../../client/master-api.ts";
import { lazyDdfs } from "../../ddfs/lazy-ddfs.ts";
import { DiscoError, JobError } from "../../errors.ts";
import type { ServedMaster } from "../served-master.ts";

export const jobInfo: JobInfo = {
  name: "job@1",
  status: "ready",
  owner: "me",
  submittedAt: 0,
  endedAt: 1,
  inputs: ["raw://x"],
  results: ["dir://h/x"],
  hosts: [],
  waits: [],
  reason: null,
  failure: null,
  peakRss: 0,
  stages: [
    {
      stage: "map",
      tasks: 1,
      waiting: 0,
      queued: 0,
      running: 0,
      done: 1,
      failed: 0,
      recordsIn: 1,
      recordsOut: 1,
      bytesIn: 1,
      bytesTotal: 1,
    },
  ],
};

export const jobEvents: readonly JobEvent[] = ["New job initialized!", "ö".repeat(20), "x"].map((message, i) => ({
  time: "2026-11-22T11:27:24.123Z",
  host: "h",
  task: i === 2 ? "map:0" : null,
  level: i === 2 ? "message" : "info",
  message,
}));

export interface FakeMaster extends ServedMaster {
  /** Calls that change something, or wait. */
  readonly calls: unknown[][];
  /** The packs that were submitted. */
  readonly packs: Buffer[];
  /** Directory of its files. */
  readonly folder: string;
  list: JobListEntry[];
  jobListVersion: number;
  readOnly: boolean;
}

/** Its directory is removed by `close`. */
export async function openFakeMaster(): Promise<FakeMaster> {
  const folder = await mkdtemp(join(tmpdir(), "disco-http-"));
  const calls: unknown[][] = [];
  const packs: Buffer[] = [];
  const noted =
    (name: string) =>
    (...args: unknown[]): Promise<void> =>
      Promise.resolve(void calls.push([name, ...args]));
  const known = <T>(name: string, value: T): Promise<T> =>
    name === "job@1" ? Promise.resolve(value) : Promise.reject(unknownJob);
  let settings: MasterSettings = { maxFailureRate: 100, acceptNewJobs: true };
  const assertAccepting = (): void => {
    if (!settings.acceptNewJobs) throw new JobError("no jobs now", { code: "jobs-not-accepted" });
  };
  const submitted = (pack: Buffer): string => {
    assertAccepting();
    if (pack.subarray(0, 4).toString() === "busy")
      throw new DiscoError("busy", { code: "too-many-jobs", retry: "here" });
    if (pack.byteLength === 0) throw new JobError("invalid header");
    packs.push(pack);
    return "job@1";
  };
  await writeFile(join(folder, "events"), jobEvents.map((event) => `${JSON.stringify(event)}\n`).join(""));
  await writeFile(join(folder, "pack"), "0123456789");

  const openDdfs = (): Promise<never> => Promise.reject(new DiscoError("it has no DDFS", { code: "not-found" }));
  const master: FakeMaster = {
    ddfs: lazyDdfs(openDdfs),
    openDdfs,
    calls,
    packs,
    folder,
    list: [{ name: "job@1", status: "ready", submittedAt: 12_345 }],
    jobListVersion: 1,
    readOnly: false,
    incomingDir: join(folder, "incoming"),
    submit: async (pack) => submitted(Buffer.from(pack)),
    assertAccepting,
    async submitFile(file) {
      try {
        return submitted(await readFile(file));
      } finally {
        await rm(file);
      }
    },
    async results(names, timeoutMs, signal) {
      calls.push(["results", names, timeoutMs]);
      if (names.includes("slow") && timeoutMs > 0) {
        await untilAborted(signal);
        calls.push(["results over", signal?.aborted]);
        signal?.throwIfAborted();
      }
      return names.map((name) => ({
        name,
        status: name === "job@1" ? "ready" : name === "slow" ? "active" : "unknown_job",
        results: name === "job@1" ? ["dir://h/x"] : [],
        reason: null,
        failure: null,
      }));
    },
    jobInfo: (name) => known(name, jobInfo),
    jobList: async () => master.list,
    jobPack: (name) => known(name, Buffer.from("0123456789")),
    packFile: (name) => known(name, join(folder, "pack")),
    eventsFile: (name) => known(name, join(folder, "events")),
    oobFile: () => Promise.reject(new DiscoError("none", { code: "unknown-key" })),
    nodeInfo: async () => [
      {
        name: "h",
        slots: 2,
        connected: true,
        blacklisted: true,
        tasksOk: 3,
        tasksFailed: 1,
        dataErrors: 0,
        diskFreeBytes: 4096,
        diskUsedBytes: 1024,
        tasks: ["job@1"],
        labels: {},
      },
    ],
    stageResults: (name, stage) =>
      stage === "map"
        ? known(name, ["dir://h/x"])
        : Promise.reject(new DiscoError("no such stage", { code: "unknown-stage" })),
    kill: async (name) => (name === "job@1" ? noted("kill")(name) : Promise.reject(unknownJob)),
    clean: noted("clean"),
    purge: noted("purge"),
    blacklist: noted("blacklist"),
    drain: noted("drain"),
    undrain: noted("undrain"),
    async removal(host) {
      if (host !== "h") throw new DiscoError(`there is no node ${host}`, { code: "unknown-node" });
      return { host, draining: true, attempts: 2, jobs: ["job@1"], resultsOfJobs: 1, safe: false };
    },
    whitelist: noted("whitelist"),
    tasks: async () => ({ tasks: [], total: 0, next: null }),
    masterInfo: async () => ({
      version: "0",
      instance: "i",
      pid: 1,
      epoch: 1,
      startedAt: 0,
      readOnly: master.readOnly,
      alarms: master.readOnly ? [{ code: "disk-full", message: "secret path /x", hint: "", since: 0 }] : [],
      root: "/nowhere",
      scheduler: { policy: "fair", alpha: 0.5 },
      journal: { engine: "memory", durable: "memory" },
      jobs: { active: 0, ready: 1, dead: 2 },
    }),
    settings: async () => settings,
    async saveSettings(changes) {
      calls.push(["saveSettings", changes]);
      settings = { ...settings, ...changes };
    },
    configTable: async () => [["localhost", "2"]],
    async saveConfigTable(table) {
      if (new Set(table.map(([node]) => node)).size < table.length) {
        throw new DiscoError("duplicate nodes", { code: "bad-config" });
      }
      calls.push(["saveConfigTable", table]);
    },
    gcBlacklist: async () => ["old"],
    gcBlacklistNode: noted("gcBlacklistNode"),
    gcWhitelistNode: noted("gcWhitelistNode"),
    async *events(name, offset) {
      if (name !== "job@1") throw unknownJob;
      let end = 0;
      for (const event of jobEvents) {
        end += Buffer.byteLength(JSON.stringify(event)) + 1;
        if (end > offset) yield [end, event];
      }
    },
    async *progress() {},
    oobGet: () => Promise.reject(new Error("a bug")),
    oobList: async () => [],
    request: () => Promise.reject(new Error("not through here")),
    counts: () => ({
      tasks: { waiting: 4, queued: 5, running: 3, done: 2, failed: 1 },
      submissions: 7,
      journalAppends: 5,
      journalBytes: 500,
    }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
  return master;
}

const unknownJob = new DiscoError("there is no such job", { code: "unknown-job" });

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
