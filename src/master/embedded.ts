/**
 * The embedded engine: master and node in this process, worker processes beside it, journal in a file. The same parts that
 * run apart on a cluster, put together by a list.
 */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { MemoryBus } from "../bus/memory.ts";
import type { MasterApi } from "../client/master-api.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { LocalJournal } from "../journal/local.ts";
import { openMemoryJournal } from "../journal/memory.ts";
import { Node } from "../node/node.ts";
import { Coordinator } from "./coordinator.ts";
import { EventLogs } from "./event-log.ts";
import { openFreeJournal } from "./free-journal.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster } from "./local-master.ts";
import { NodeLink } from "./node-link.ts";
import { serveNodes } from "./node-subjects.ts";
import { assertRunsOn } from "./only-node.ts";
import { assertFits } from "./record-room.ts";
import { openRoot, rootDirectory } from "./root.ts";

export interface EmbeddedOptions {
  /** Directory for everything that is kept. Default: `$DISCO_ROOT`, `$XDG_DATA_HOME/disco` or `~/.local/share/disco`. */
  readonly root?: string;
  /** Worker processes at once. Default: the number of cores. */
  readonly slots?: number;
  /** `sqlite` (default): jobs are known to later processes. `memory`: only to this one. */
  readonly journal?: "sqlite" | "memory";
  /** Labels of the node, for jobs that ask for some. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Memory limit, in bytes, that the first job will probably have: its worker is started before it comes. Default 1 GiB. */
  readonly memoryLimitBytes?: number;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
}

/** The name of the only node, in addresses of results as well. */
export const embeddedHost = "localhost";
const embeddedAddress = `disco://${embeddedHost}`;
/** Tiny tasks need some in waiting; the node spreads them itself, so that more do no harm. */
const queueDepth = 32;
const defaultMemoryLimitBytes = 1024 * 1024 * 1024;

/**
 * Opens the engine on a root directory. Several processes may do so at once: each has a journal of its own, and all share the
 * data directory. Jobs that a dead process left unfinished are `dead`, with what had been finished as the reason.
 * @throws DiscoError `bad-root`, `bad-option`, and what the journal throws (`journal-corrupt`, `newer-version` …)
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<MasterApi> {
  const slots = options.slots ?? availableParallelism();
  const labels = options.labels ?? {};
  const root = options.root ?? rootDirectory();
  const dataDir = await openRoot(root);
  const now = (): number => Date.now();

  const journal = options.journal === "memory" ? openMemoryJournal() : openFreeJournal(root);
  const bus = new MemoryBus();
  const nodes = new NodeLink(bus);
  const logs = new EventLogs(dataDir);
  const files = new JobFiles(dataDir);
  const signals = new JobSignals();
  const progress = new LiveProgress();
  const keepAlive = new KeepAlive();
  const node = new Node({
    host: embeddedHost,
    dataDir,
    bus,
    slots,
    queueDepth,
    labels,
    master: embeddedAddress,
    memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimitBytes,
    ...(options.workerScript === undefined ? {} : { workerScript: options.workerScript }),
  });
  node.warm();
  node.serve();
  const writer = `${process.pid}-${randomUUID()}`;
  // What it leaves behind is deleted with the jobs: nobody can do more about it.
  const failed = (): void => void node.abandon().catch(() => undefined);
  // The node lives as long as this process: without it, jobs would wait for ever.
  const nodeLost = (): void => void node.join().catch(failed);
  const shared = { nodes, logs, files, signals, progress, keepAlive, now };
  const stops: (() => void)[] = [];
  const coordinator = await orClose(node, journal, async () => {
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
    assertRunsOn({ host: embeddedHost, labels }, spec);
  };
  return new LocalMaster({ ...shared, coordinator, dataDir, assertRunnable, close });
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
