/**
 * Master and node of one machine, put together from a list of parts: what the embedded engine and the daemon have in common.
 * They talk over a bus, as they would from two machines.
 */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { MemoryBus } from "../bus/memory.ts";
import type { SaveResults } from "../core/commands.ts";
import type { JobSpec } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import type { LocalJournal } from "../journal/local.ts";
import type { OwnBlobs } from "../node/ddfs/own-blobs.ts";
import { Node } from "../node/node.ts";
import type { OwnMaster } from "../node/node-options.ts";
import type { SpareWorker } from "../node/spare-worker.ts";
import { packageVersion } from "../package-version.ts";
import type { DdfsSettings } from "../settings/daemon-settings.ts";
import { Claims } from "./claims.ts";
import { Coordinator } from "./coordinator.ts";
import { LazyKeeper } from "./ddfs/lazy-keeper.ts";
import type { OwnDdfs } from "./ddfs/own-ddfs.ts";
import type { DiskRoom } from "./disk-room.ts";
import { EventLogs } from "./event-log.ts";
import { indexReader } from "./index-reader.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster } from "./local-master.ts";
import type { Log } from "./log.ts";
import { NodeLink } from "./node-link.ts";
import { serveNodes } from "./node-subjects.ts";
import { assertRunsOn } from "./only-node.ts";
import { assertFits } from "./record-room.ts";
import { RoomWatch } from "./room-watch.ts";

export interface EngineParts {
  /** Name of the only node, in addresses of results as well. */
  readonly host: string;
  /** Address of the master, for `task.master`. */
  readonly address: () => string;
  readonly dataDir: string;
  /** Of the only node. Closed by the engine. */
  readonly blobs: OwnBlobs;
  /** Closed by the engine, also when it cannot be opened. */
  readonly journal: LocalJournal;
  /** Default: one replica, and times as the collector has them. */
  readonly ddfs?: DdfsSettings;
  /** Worker processes at once. */
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly scheduler: { readonly policy: "fair" | "fifo"; readonly alpha: number };
  /** Memory limit, in bytes, that the first job will probably have: its worker is started before it comes. */
  readonly memoryLimitBytes: number;
  /** The first worker, where it was started before the engine. Closed by the engine, also when it cannot be opened. */
  readonly spare?: SpareWorker | undefined;
  /** For inputs at protected masters; the engine in a user's own process has the user's. */
  readonly token?: string | undefined;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
  /** Unique for each start. */
  readonly instance?: string;
  /** What becomes of jobs that were left unfinished (`coordinator.ts`). */
  readonly takeover: "interrupt" | "continue";
  /** The root's disk, and where to say how full it is. Absent: nobody looks. */
  readonly guard?: { readonly room: DiskRoom; readonly log: Log; readonly lookEveryMs?: number };
  /** It cannot go on. Called once; the engine is still to be closed. */
  readonly failed?: (error: DiscoError) => void;
}

/** Tiny tasks need some in waiting; the node spreads them itself, so that more do no harm. */
const queueDepth = 32;
/** Uploads, below the data directory: what is moved to its place must be on the same disk. */
const incomingName = "_incoming";

/** @throws what the journal and the coordinator throw */
export async function openEngine(parts: EngineParts): Promise<LocalMaster> {
  const { host, dataDir, blobs, journal, slots, labels, scheduler, takeover, guard } = parts;
  const now = (): number => Date.now();
  const startedAt = now();
  const bus = new MemoryBus();
  // There is one node, and one data directory: whatever it was called when a job ran, the files are its own.
  const nodes = new NodeLink(bus, { holderOf: () => host });
  const logs = new EventLogs(dataDir);
  const files = new JobFiles(dataDir);
  const signals = new JobSignals();
  const progress = new LiveProgress();
  const keepAlive = new KeepAlive();
  const incomingDir = join(dataDir, incomingName);
  const claims = takeover === "continue" ? { claims: new Claims(incomingDir) } : {};
  const instance = parts.instance ?? randomUUID();
  const whole = Promise.withResolvers<LocalMaster>();
  const node = nodeOf(parts, bus);
  node.warm();
  node.serve();
  const failed = (error: DiscoError): void => {
    parts.failed?.(error);
    // What it leaves behind is deleted with the jobs that are dead now: nobody can do more about it.
    if (takeover === "interrupt") void node.abandon().catch(() => undefined);
  };
  // The node lives as long as this process: without it, jobs would wait for ever.
  const nodeLost = (): void => void node.join().catch(() => undefined);
  const readIndex = indexReader({ dataDir, host });
  const shared = { nodes, logs, files, signals, progress, keepAlive, now };
  const keeper = new LazyKeeper({
    coordinator: () => coordinator,
    ddfs: async () => (await ddfs()).ddfs,
    bus,
    readIndex,
    holderOf: () => host,
    now,
  });
  const save = (command: SaveResults): void => keeper.save(command);
  const stops: (() => void)[] = [];
  const coordinator = await orClose(node, journal, async () => {
    const writer = `${process.pid}-${instance}`;
    const room = guard === undefined ? {} : { room: guard.room };
    const decider = { ...shared, ...room, journal, writer, takeover, options: scheduler, failed, nodeLost, save };
    const opened = new Coordinator(decider);
    stops.push(serveNodes(bus, { instance, coordinator: opened, files }));
    if (claims.claims !== undefined) await claims.claims.giveBack((job) => opened.machine.knows(job), files);
    await joinNode(opened).catch((error: unknown) => {
      // The watch has it join when there is room in the journal.
      if (!opened.behind) throw error;
    });
    return opened;
  });
  const rejoin = (): Promise<void> => joinNode(coordinator);
  const watch = guard === undefined ? null : new RoomWatch({ ...guard, coordinator, rejoin, now });

  let closing: Promise<void> | undefined;
  let opening: Promise<OwnDdfs> | undefined;
  let opened: OwnDdfs | undefined;
  const ddfs = (): Promise<OwnDdfs> => {
    coordinator.assertAlive();
    if (closing !== undefined && opening === undefined)
      throw new DiscoError("the engine is closed", { code: "closed" });
    // What failed is tried again: there may be room by then.
    opening ??= openDdfs(coordinator).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const close = (): Promise<void> =>
    (closing ??= keepAlive.during(
      (async () => {
        watch?.stop();
        // Before anything is waited for: what is being submitted is to find the engine closed.
        const saving = keeper.close();
        if (saving !== null) await saving;
        if (opening !== undefined) await (await opening.catch(() => undefined))?.close();
        await coordinator.close();
        await node.close();
        await blobs.close();
        for (const stop of stops) stop();
        await bus.close();
        logs.flush();
      })(),
    ));
  const { engine, durable } = journal.caps;
  const master = new LocalMaster({
    ...shared,
    ...claims,
    coordinator,
    ddfs: async () => (await ddfs()).ddfs,
    readIndex,
    dataDir,
    incomingDir,
    identity: {
      version: packageVersion(),
      instance,
      root: dirname(dataDir),
      startedAt,
      scheduler,
      journal: { engine, durable },
    },
    alarms: () => [...(watch?.alarms() ?? []), ...(opened?.garbage.alarms() ?? [])],
    assertRunnable: (spec: JobSpec, packBytes: number): void => {
      assertFits(journal.caps.recordBytesMax, spec, packBytes);
      assertRunsOn({ host, labels }, spec);
    },
    close,
  });
  whole.resolve(master);
  return master;

  /** For workers that jobs bring along, which may be at work before all is there. */
  async function ownMaster(): Promise<OwnMaster> {
    const { innerDoor } = await import("./http/ddfs/inner-door.ts");
    const served = await whole.promise;
    return { door: innerDoor(served), formerHosts: served.hostsOfFiles() };
  }

  async function openDdfs(decider: Coordinator): Promise<OwnDdfs> {
    const { openOwnDdfs } = await import("./ddfs/own-ddfs.ts");
    const url = (): string => parts.address().replace(/^disco:/, "http:");
    const { blobReplicas: replicas = null, times = {} } = parts.ddfs ?? {};
    const isPassing = journal.caps.durable === "memory";
    const shown = { host, url, replicas, reserveBytes: 0, now };
    opened = await openOwnDdfs({ ...shown, times, blobs, coordinator: decider, bus, instance, isPassing });
    return opened;
  }

  async function joinNode(decider: Coordinator): Promise<void> {
    await node.start();
    const before = decider.forgetNodes((other) => other !== host, "this master has no node of that name any more");
    if (before.length === 0) return;
    guard?.log.warn(
      { node: host, before },
      "the node has another name than before: results of earlier jobs keep the old one and stay readable here; " +
        "active jobs run again what it had done for them",
    );
  }

  function nodeOf(options: EngineParts, on: MemoryBus): Node {
    const { address, memoryLimitBytes, spare, token, workerScript } = options;
    return new Node({
      host,
      dataDir,
      blobs,
      bus: on,
      instance,
      slots,
      queueDepth,
      labels,
      master: address,
      ownMaster,
      memoryLimitBytes,
      spare,
      token,
      ...(workerScript === undefined ? {} : { workerScript }),
    });
  }
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
