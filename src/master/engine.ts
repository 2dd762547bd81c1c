/**
 * Master and node of one machine, put together from a list of parts: what the embedded engine and the daemon have in common.
 * They talk over a bus, as they would from two machines.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { MemoryBus } from "../bus/memory.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { LocalJournal } from "../journal/local.ts";
import { Node } from "../node/node.ts";
import { packageVersion } from "../package-version.ts";
import { Coordinator } from "./coordinator.ts";
import { EventLogs } from "./event-log.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster } from "./local-master.ts";
import { NodeLink } from "./node-link.ts";
import { serveNodes } from "./node-subjects.ts";
import { assertRunsOn } from "./only-node.ts";
import { assertFits } from "./record-room.ts";

export interface EngineParts {
  /** Name of the only node, in addresses of results as well. */
  readonly host: string;
  /** Address of the master, for `task.master`. */
  readonly address: string;
  readonly dataDir: string;
  /** Closed by the engine, also when it cannot be opened. */
  readonly journal: LocalJournal;
  /** Worker processes at once. */
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly scheduler: { readonly policy: "fair" | "fifo"; readonly alpha: number };
  /** Memory limit, in bytes, that the first job will probably have: its worker is started before it comes. */
  readonly memoryLimitBytes: number;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
  /** Unique for each start. */
  readonly instance?: string;
}

export interface Engine {
  readonly master: LocalMaster;
  readonly instance: string;
}

/** Tiny tasks need some in waiting; the node spreads them itself, so that more do no harm. */
const queueDepth = 32;
/** Uploads, below the data directory: what is moved to its place must be on the same disk. */
const incomingName = "_incoming";

export async function openEngine(parts: EngineParts): Promise<Engine> {
  const { host, dataDir, journal, slots, labels, address, memoryLimitBytes, workerScript, scheduler } = parts;
  const now = (): number => Date.now();
  const bus = new MemoryBus();
  const nodes = new NodeLink(bus);
  const logs = new EventLogs(dataDir);
  const files = new JobFiles(dataDir);
  const signals = new JobSignals();
  const progress = new LiveProgress();
  const keepAlive = new KeepAlive();
  const node = new Node({
    host,
    dataDir,
    bus,
    slots,
    queueDepth,
    labels,
    master: address,
    memoryLimitBytes,
    ...(workerScript === undefined ? {} : { workerScript }),
  });
  node.warm();
  node.serve();
  const instance = parts.instance ?? randomUUID();
  // What it leaves behind is deleted with the jobs: nobody can do more about it.
  const failed = (): void => void node.abandon().catch(() => undefined);
  // The node lives as long as this process: without it, jobs would wait for ever.
  const nodeLost = (): void => void node.join().catch(failed);
  const shared = { nodes, logs, files, signals, progress, keepAlive, now };
  const stops: (() => void)[] = [];
  const coordinator = await orClose(node, journal, async () => {
    const writer = `${process.pid}-${instance}`;
    const opened = new Coordinator({ ...shared, journal, writer, failed, nodeLost });
    stops.push(serveNodes(bus, opened, files));
    await node.start();
    return opened;
  });

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= keepAlive.during(
      (async () => {
        await coordinator.close();
        await node.close();
        for (const stop of stops) stop();
        await bus.close();
        logs.flush();
      })(),
    ));
  const assertRunnable = (spec: JobSpec, packBytes: number): void => {
    assertFits(journal.caps.recordBytesMax, spec, packBytes);
    assertRunsOn({ host, labels }, spec);
  };
  const { engine, durable } = journal.caps;
  const identity = {
    version: packageVersion(),
    instance,
    startedAt: now(),
    scheduler,
    journal: { engine, durable },
  };
  const incomingDir = join(dataDir, incomingName);
  const alarms = (): [] => [];
  const master = new LocalMaster({
    ...shared,
    coordinator,
    dataDir,
    incomingDir,
    identity,
    alarms,
    assertRunnable,
    close,
  });
  return { master, instance };
}

/** What cannot be read is not opened, and leaves no process and no lock behind. */
async function orClose<T>(node: Node, journal: LocalJournal, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await node.close();
    journal.closeSync();
    throw error;
  }
}
