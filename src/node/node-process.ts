/**
 * A node as a process of its own: its data server, and the node, over the bus that it is given.
 *
 *   lock on its data ─▶ data server listens ─▶ follows whoever leads ─▶ joined ─▶ … ─▶ goodbye ─▶ workers end ─▶ the rest, backwards
 *
 * A master that does not let it in is asked again for a while: the process of before may be on its way out.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { sharedStoreOf } from "../blobs/s3/shared-store.ts";
import type { Bus } from "../bus/bus.ts";
import { CommError, type DiscoError } from "../errors.ts";
import type { ClusterSettings } from "../settings/cluster.ts";
import { serveNodeData } from "./data-server/serve.ts";
import { OwnBlobs } from "./ddfs/own-blobs.ts";
import { type AccessParts, whyNoAccess } from "./master-access.ts";
import { unable } from "./membership.ts";
import { Node } from "./node.ts";
import { advertisedUrl, caOf, clusterToken, tlsOf } from "./served-as.ts";
import { usualMemoryLimitBytes } from "./spare-worker.ts";
import { lockFolder } from "./volume-lock.ts";

/** What a node process writes lines with (`master/log.ts` has the same). */
export interface NodeLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface NodeProcess {
  /** Base URL of its data server, as clients on this machine reach it. */
  readonly url: string;
  readonly node: Node;
  /** Resolves when it cannot go on, with the reason; `close` is still to be called. */
  readonly failed: Promise<Error>;
  /** Says goodbye, so that its tasks go to others at once, and ends its workers. */
  close(): Promise<void>;
}

export interface NodeProcessOptions {
  /** Opens the bus, for this start of the node. Closed with the process, also when that cannot be opened. */
  readonly bus: (session: string) => Promise<Bus>;
  readonly log: NodeLog;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
}

/** Tasks a slot that wait on the node: enough that no worker waits for the master. */
const queueDepth = 4;
/** So many times the death time a node goes on asking masters that refuse it. */
const refusalPatience = 2;
/** Masters say that they lead more often than once in so long. */
const aloneMs = 5_000;

/** @throws DiscoError `volume-busy`, `bad-root`, and what the data server throws */
export async function openNodeProcess(
  settings: ClusterSettings,
  { bus: openBus, log, workerScript }: NodeProcessOptions,
): Promise<NodeProcess> {
  const { root, node: host, workers: slots, labels, tokens } = settings;
  const dataDir = settings.dataDir ?? join(root, "node", "data");
  const failure = Promise.withResolvers<Error>();
  const session = randomUUID();
  const closers: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    closers.push(lockFolder(dataDir, "node.lock"));
    const shared = sharedStoreOf(settings.ddfs, process.env);
    const { blobFolders: folders, diskReserveBytes: reserveBytes } = settings;
    const blobs = new OwnBlobs({ dataDir, folders, reserveBytes, shared });
    closers.push(() => blobs.close());
    await blobs.look().catch((error: unknown) => {
      // A store that cannot be reached now may be later; one that refuses us is a mistake in our settings.
      if (shared === null || !(error instanceof CommError)) throw error;
      log.warn({ store: shared.host }, error.message);
    });
    const server = await serveNodeData({
      node: host,
      blobs,
      dataDir,
      host: settings.host,
      port: settings.port,
      tokens,
      allowedHosts: settings.allowedHosts,
      trustedNetworks: settings.trustedNetworks,
      tls: tlsOf(settings),
      noted: (what) => log.warn(what, "a request was refused"),
    });
    closers.push(() => server.close());
    const bus = await openBus(session);
    closers.push(() => bus.close());
    const remote = { token: clusterToken(tokens), ca: caOf(settings) };
    const closing = new AbortController();
    closers.push(() => closing.abort());
    const patience = new RefusalPatience(settings.deathMs * refusalPatience, log, failure.resolve);
    const node = new Node({
      host,
      dataDir,
      blobs,
      bus,
      session,
      slots,
      queueDepth,
      diskReserveBytes: settings.diskReserveBytes,
      labels,
      url: advertisedUrl(settings, server.url),
      master: () => (node.masterUrl ?? "http://localhost").replace(/^https?:/, "disco:"),
      memoryLimitBytes: usualMemoryLimitBytes,
      remote,
      refused: (error) => patience.refused(error),
      joined: (epoch) => {
        patience.over();
        log.info({ node: host, epoch, master: node.masterUrl, slots }, "joined");
        if (node.masterUrl !== null) void checkAccess(node.masterUrl, { ...remote, signal: closing.signal }, log);
      },
      ...(workerScript === undefined ? {} : { workerScript }),
    });
    closers.push(() => node.close());
    node.warm();
    log.info({ url: server.url, node: host, dataDir }, "serving");
    closers.push(patience.sayAlone());
    node.follow();
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await node.leave();
      await closeAll();
    };
    return { url: server.url, node, failed: failure.promise, close: () => (closed ??= close()) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function checkAccess(masterUrl: string, how: AccessParts, log: NodeLog): Promise<void> {
  const problem = await whyNoAccess(masterUrl, how);
  if (problem === null) return;
  const { code, hint, message } = problem;
  log.error({ code, hint }, `it has joined, but its tasks will fail: ${message}`);
}

/** How long a node puts up with masters that do not let it in. */
class RefusalPatience {
  readonly #patienceMs: number;
  readonly #log: NodeLog;
  readonly #fail: (error: Error) => void;
  #since: number | null = null;
  #alone: NodeJS.Timeout | undefined;

  constructor(patienceMs: number, log: NodeLog, fail: (error: Error) => void) {
    this.#patienceMs = patienceMs;
    this.#log = log;
    this.#fail = fail;
  }

  /** Says that it waits, should no master have answered after a while. Returns what ends that. */
  sayAlone(): () => void {
    this.#alone = setTimeout(() => this.#log.warn({}, "no master that leads is heard yet: it waits for one"), aloneMs);
    this.#alone.unref();
    return () => clearTimeout(this.#alone);
  }

  refused(error: DiscoError): void {
    clearTimeout(this.#alone);
    const now = performance.now();
    if (this.#since === null) {
      this.#since = now;
      const what = error.code === unable ? "it cannot join" : "the master does not let this node in yet";
      this.#log.warn({ code: error.code, hint: error.hint }, `${what}: ${error.message}`);
    } else if (now - this.#since >= this.#patienceMs) {
      this.#fail(error);
    }
  }

  over(): void {
    clearTimeout(this.#alone);
    this.#since = null;
  }
}
