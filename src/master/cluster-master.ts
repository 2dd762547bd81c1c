/**
 * A master of a cluster: one of several, of which one leads.
 *
 *   lock on its root ─▶ journal folded ─▶ the server listens ─▶ follows … lease, journal ─▶ leads: desk for nodes ─▶ … ─▶ deposed,
 *                                                                                                      or stopped: backwards
 *
 * Its own disk holds copies only (logs of jobs, packs): what counts is in the journal. A master that is deposed ends; whoever
 * supervises it starts it again, and it follows.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { sharedStoreOf } from "../blobs/s3/shared-store.ts";
import { fromJsonBytes } from "../bus/json.ts";
import type { DiscoError } from "../errors.ts";
import { createDataServer } from "../node/data-server/data-server.ts";
import { OwnBlobs } from "../node/ddfs/own-blobs.ts";
import { Peers } from "../node/fetch/peers.ts";
import { masterHost } from "../node/job-directory.ts";
import { advertisedUrl, caOf, clusterToken, tlsOf } from "../node/served-as.ts";
import { lockFolder } from "../node/volume-lock.ts";
import { packageVersion } from "../package-version.ts";
import type { LeaderNotice } from "../protocol/messages.ts";
import type { ClusterSettings } from "../settings/cluster.ts";
import { Claims } from "./claims.ts";
import type { ClusterEngine } from "./cluster-engine.ts";
import { Collector } from "./collector.ts";
import { Coordinator } from "./coordinator.ts";
import type { CoordinatorParts } from "./coordinator-parts.ts";
import { announce } from "./daemon-record.ts";
import { openClusterDdfs } from "./ddfs/cluster-ddfs.ts";
import { nameCluster } from "./ddfs/cluster-name.ts";
import { LazyKeeper } from "./ddfs/lazy-keeper.ts";
import { DiskRoom } from "./disk-room.ts";
import { DistantFiles } from "./distant-files.ts";
import { EventLogs } from "./event-log.ts";
import { firstReading } from "./first-reading.ts";
import { createApi } from "./http/api/api.ts";
import { serveHttp } from "./http/server.ts";
import { indexReader } from "./index-reader.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { KnownJournal } from "./known-journal.ts";
import { Leadership } from "./leadership.ts";
import type { Leading } from "./leading.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster } from "./local-master.ts";
import type { Log } from "./log.ts";
import { type NodeDesk, openNodeDesk } from "./node-desk.ts";
import { NodeLink } from "./node-link.ts";
import { withNodeResults } from "./node-results.ts";
import { PackKeeper, packCandidates } from "./pack-keeper.ts";
import { assertReachable } from "./reachability.ts";
import { assertFits } from "./record-room.ts";
import { RoomWatch } from "./room-watch.ts";
import { openRoot } from "./root.ts";
import { notLeading } from "./stopped.ts";

/** Requests passed on to one node at once. */
const passedOnMax = 64;

export interface ClusterMaster {
  /** Base URL of its server, as clients on this machine reach it. */
  readonly url: string;
  readonly master: LocalMaster;
  readonly instance: string;
  readonly leading: Leading;
  /** The desk for nodes, while it leads. */
  readonly desk: () => NodeDesk | null;
  /** Resolves when it cannot go on (deposed, the journal is damaged …), with the reason; `close` is still to be called. */
  readonly failed: Promise<DiscoError>;
  /** Gives the office up and ends. Jobs go on with the next master. */
  close(): Promise<void>;
}

/** One try of an assignment; it is repeated for the death time. */
const assignTryMs = 2_000;
const leaseName = "leader";
const lookForLeaderMs = 1_000;
const incomingName = "_incoming";

/** Of the journal on NATS: then it outlives the loss of a server, for good or for a while. */
const replicasWanted = 3;
const fewCopies =
  "the journal has fewer than three copies: with the disk of a server that keeps it all jobs and what is known of results are lost, " +
  "and while that server is away nothing is decided";
const fewCopiesHint = "Run three servers of NATS, and start a master then: it has the copies made.";

/** What runs backwards when the master ends. */
type Closers = (() => void | Promise<void>)[];

export interface ClusterMasterOptions {
  /** Opens what the cluster stands on. The master closes it. */
  readonly engine: (leading: Leading) => Promise<ClusterEngine>;
  readonly log: Log;
}

/** @throws DiscoError `volume-busy`, `bad-root`, and what engine, journal and server throw */
export async function openClusterMaster(
  settings: ClusterSettings,
  options: ClusterMasterOptions,
): Promise<ClusterMaster> {
  const closers: Closers = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await open(settings, options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(
  settings: ClusterSettings,
  { engine: openEngine, log }: ClusterMasterOptions,
  closers: Closers,
  closeAll: () => Promise<void>,
): Promise<ClusterMaster> {
  const { root, scheduler, suspicionMs, deathMs, gcAfterSeconds, packBytesMax } = settings;
  const dataDir = await openRoot(root);
  closers.push(lockFolder(dataDir, "master.lock"));
  const instance = randomUUID();
  const startedAt = Date.now();
  const now = (): number => Date.now();
  const failure = Promise.withResolvers<DiscoError>();
  let desk: NodeDesk | null = null;
  let keeper: PackKeeper | null = null;
  let url = "";
  let coordinator: Coordinator | null = null;
  let notice: LeaderNotice | null = null;
  const leading: Leading = {
    role: () => (coordinator === null || coordinator.ended ? "none" : coordinator.leads ? "leads" : "follows"),
    leader: () => {
      if (coordinator?.leads === true) return { url, epoch: coordinator.machine.cluster.epoch };
      return notice === null ? null : { url: notice.url, epoch: notice.epoch };
    },
    ageMs: () => (coordinator === null || coordinator.leads ? 0 : Math.max(0, now() - coordinator.foldedAt)),
  };
  const { bus, journal, lease, lines, hub, close: closeEngine } = await openEngine(leading);
  closers.push(closeEngine);
  // The coordinator closes it as well, if there comes to be one.
  closers.push(() => journal.close());
  closers.push(
    bus.subscribe("leader", (bytes) => {
      const heard = fromJsonBytes<LeaderNotice>(bytes);
      if (notice === null || heard.epoch >= notice.epoch) notice = heard;
    }),
  );
  const epoch = (): number => coordinator?.machine.cluster.epoch ?? 0;
  const nodes = new NodeLink(bus, {
    epoch,
    tryMs: assignTryMs,
    assignPatienceMs: deathMs,
    session: (host) => desk?.liveness.session(host) ?? null,
    silent: (host, session) => desk?.liveness.silent(host, session),
  });
  const logs = new EventLogs(dataDir);
  const files = new JobFiles(dataDir);
  const incomingDir = join(dataDir, incomingName);
  const room = new DiskRoom({ root, reserveBytes: settings.diskReserveBytes });
  const shared = {
    nodes,
    logs,
    files,
    signals: new JobSignals(),
    progress: new LiveProgress(),
    keepAlive: new KeepAlive(),
    now,
  };
  const readIndex = indexReader({ dataDir, distant: { index: (address) => distant.index(address) } });
  const savedResults = new LazyKeeper({ coordinator: () => decider, ddfs: async () => ddfs.ddfs, bus, readIndex, now });
  const decides: CoordinatorParts = {
    ...shared,
    journal,
    lines,
    room,
    writer: `${process.pid}-${instance}`,
    takeover: "continue",
    options: scheduler,
    awaitNodes: false,
    leader: () => leading.leader()?.url ?? null,
    save: (command) => savedResults.save(command),
    failed: (error) => {
      log.error({ code: error.code, hint: error.hint }, error.message);
      failure.resolve(error);
    },
  };
  const decider = await firstReading(() => Coordinator.follow(decides), {
    waits: (error) =>
      log.warn({ code: error.code }, `the journal cannot be read yet, and is asked for again: ${error.message}`),
  });
  coordinator = decider;
  closers.push(async () => {
    await decider.close();
    logs.flush();
  });
  const known = new KnownJournal(dataDir, settings.cluster);
  known.check(decider.machine.cluster.epoch);
  const roomWatch = new RoomWatch({ room, coordinator: decider, log, now });
  closers.push(() => roomWatch.stop());
  const claims = new Claims(incomingDir);
  await claims.giveBack((job) => decider.machine.knows(job), files);
  const { engine, durable, replicas, version, notes } = journal.caps;
  const dataServers = (): Readonly<Record<string, string>> =>
    desk?.liveness.dataServers() ??
    Object.fromEntries(
      [...decider.machine.cluster.nodes.values()].flatMap((node) => (node.url ? [[node.host, node.url]] : [])),
    );
  const ca = caOf(settings);
  const token = clusterToken(settings.tokens);
  const peers = new Peers({ urlOf: (node) => dataServers()[node], token, ca, connectionsMax: passedOnMax });
  closers.push(() => peers.close());
  // Who is not let in yet is shown no token.
  const strangers = new Peers({ urlOf: () => undefined, ca });
  closers.push(() => strangers.close());
  const distant = new DistantFiles({
    files,
    peers,
    dataServers,
    holders: (job) => {
      const { machine } = decider;
      return [
        ...new Set([
          ...machine.packHolders(job),
          ...(machine.jobs.get(job)?.hosts ?? machine.ended.get(job)?.nodes ?? []),
        ]),
      ];
    },
    packSha256: (job) => decider.machine.packSha256(job),
    knows: (job) => decider.machine.knows(job),
  });
  closers.push(() => distant.close());
  const bucket = sharedStoreOf(settings.ddfs, process.env);
  const store = bucket === null ? null : new OwnBlobs({ dataDir, shared: bucket });
  const ddfs = openClusterDdfs({
    coordinator: decider,
    peers,
    heartbeat: (host) => desk?.liveness.heartbeat(host) ?? null,
    isSuspect: (host) => desk?.liveness.isSuspect(host) ?? false,
    replicas: settings.ddfs.blobReplicas,
    tagReplicas: settings.ddfs.tagReplicas,
    store,
    times: settings.ddfs.times,
    now,
    bus,
    instance,
    refusal: () => notLeading(leading.leader()?.url ?? null),
    log,
  });
  closers.push(() => ddfs.close());
  closers.push(async () => {
    await savedResults.close();
  });
  const master = new LocalMaster({
    ...shared,
    claims,
    coordinator: decider,
    ddfs: async () => ddfs.ddfs,
    readIndex,
    dataDir,
    incomingDir,
    identity: {
      version: packageVersion(),
      instance,
      root,
      startedAt,
      scheduler,
      journal: {
        engine,
        durable,
        replicas,
        ...(version === undefined ? {} : { version }),
        ...(notes === undefined ? {} : { notes }),
      },
    },
    alarms: () => [...roomWatch.alarms(), ...(ddfs.garbage()?.alarms() ?? [])],
    watch: () => desk?.liveness ?? null,
    leading,
    distant,
    holdPack: async (job) => {
      if (desk === null) throw notLeading(leading.leader()?.url ?? null);
      const { liveness, nodeFiles } = desk;
      return await nodeFiles.holdPack(
        job,
        packCandidates(decider.machine, (host) => liveness.isSuspect(host)),
      );
    },
    assertRunnable: (spec, packBytes) => assertFits(journal.caps.recordBytesMax, spec, packBytes),
    close: () => close(),
  });
  const onError = (error: unknown, { method, url: asked }: IncomingMessage): void =>
    log.error({ reason: error instanceof Error ? error.stack : String(error), method, url: asked }, "a request failed");
  const server = await serveHttp({
    master,
    settings,
    instance,
    log,
    leading,
    tls: tlsOf(settings),
    api: createApi(master, { packBytesMax, onError }),
    data: withNodeResults(
      createDataServer({
        dataDir,
        host: masterHost,
        nodes: dataServers,
        peers,
        ...(store === null ? {} : { blobs: store }),
      }),
      dataServers,
    ),
    ...(ca === undefined ? {} : { leaderTls: { ca } }),
    ...(hub === undefined ? {} : { bus: hub }),
  });
  closers.push(() => server.close());
  url = advertisedUrl(settings, server.url);
  if (hub !== undefined) {
    const looking = setInterval(() => {
      if (decider.leads) return;
      lease.holder(leaseName).then(
        (holder) => {
          const [other = "", its = ""] = holder?.split(" ") ?? [];
          notice = its === "" ? null : { instance: other, url: its, epoch: epoch(), seq: 0, nodesVersion: 0 };
        },
        () => undefined,
      );
    }, lookForLeaderMs);
    looking.unref();
    closers.push(() => clearInterval(looking));
  }
  const leadership = new Leadership({
    lease,
    name: leaseName,
    // Where nobody hears the leader's notices, this tells where it is.
    holder: `${instance} ${url}`,
    coordinator: decider,
    began: () => {
      // A journal that takes nothing at present is named by who leads next, and asked for then.
      nameCluster(decider, now).catch(() => undefined);
      ddfs.lead();
      desk = openNodeDesk({
        ...shared,
        bus,
        instance,
        url: () => url,
        coordinator: decider,
        log,
        suspicionMs,
        deathMs,
        reach: (hello) => assertReachable(hello, { peers: strangers }),
      });
      const { liveness, nodeFiles } = desk;
      const isSilent = (host: string): boolean => liveness.isSuspect(host);
      keeper = new PackKeeper({ coordinator: decider, files, distant, nodeFiles, isSilent, log, now });
      known.note(epoch());
      log.info({ epoch: epoch(), url }, "leading");
      if (engine === "nats" && replicas < replicasWanted) log.warn({ replicas, hint: fewCopiesHint }, fewCopies);
    },
  });
  closers.push(async () => {
    // Updates of tags that wait for others, as long as this master may record them.
    if (decider.leads) await ddfs.ddfs.tagService.flush().catch(() => undefined);
    keeper?.close();
    desk?.close();
    await leadership.stop();
  });
  if (gcAfterSeconds !== null) {
    const collector = new Collector({ master, log, afterMs: gcAfterSeconds * 1_000 });
    closers.push(() => collector.stop());
  }
  const record = { pid: process.pid, url: server.url, instance, version: packageVersion(), startedAt };
  closers.push(announce(root, record, log));
  log.info({ url: server.url, advertised: url, journal: engine, durable, notes }, "serving");
  leadership.start();

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  return { url: server.url, master, instance, leading, desk: () => desk, failed: failure.promise, close };
}
