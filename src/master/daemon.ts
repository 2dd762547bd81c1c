/**
 * The daemon: the engine of this machine with a door, an HTTP server (`http/server.ts`). It goes on with what its predecessor
 * left, whatever the end of that one was.
 *
 *   lock (journal) ─▶ replay ─▶ node joins ─▶ the server listens ─▶ daemon.json ─▶ … ─▶ daemon.json goes ─▶ the rest, backwards
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { sharedStoreOf } from "../blobs/s3/shared-store.ts";
import { DiscoError } from "../errors.ts";
import { urlOf } from "../http/listen.ts";
import type { LocalJournal } from "../journal/local.ts";
import { openSqliteJournal } from "../journal/sqlite.ts";
import { createDataServer } from "../node/data-server/data-server.ts";
import { OwnBlobs } from "../node/ddfs/own-blobs.ts";
import { usualMemoryLimitBytes } from "../node/spare-worker.ts";
import { packageVersion } from "../package-version.ts";
import { type DaemonSettings, daemonJournalName } from "../settings/daemon-settings.ts";
import { Collector } from "./collector.ts";
import { announce, rootBusy } from "./daemon-record.ts";
import { DiskRoom } from "./disk-room.ts";
import { openEngine } from "./engine.ts";
import { createApi } from "./http/api/api.ts";
import { type HttpServer, serveHttp } from "./http/server.ts";
import { type Log, silentLog } from "./log.ts";
import { openRoot } from "./root.ts";
import type { ServedMaster } from "./served-master.ts";

export interface Daemon {
  /** Base URL of its server, as clients on this machine reach it. */
  readonly url: string;
  readonly master: ServedMaster;
  /** Unique for each start. */
  readonly instance: string;
  /** Resolves when the daemon cannot go on, with the reason; `close` is still to be called. */
  readonly failed: Promise<Error>;
  /** Stops serving and starting tasks, and ends the workers. Jobs stay active: the next daemon on the root goes on with them. */
  close(): Promise<void>;
}

export interface DaemonOptions {
  readonly log?: Log;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
  /** Milliseconds between two looks at the disk. Default 2 s. */
  readonly lookEveryMs?: number;
}

/**
 * Opens the daemon on its root directory, and resolves when it serves.
 * @throws DiscoError `root-busy`, `bad-root`, `newer-version`, `journal-corrupt` …, and what the server throws when it cannot listen
 */
export async function openDaemon(settings: DaemonSettings, options: DaemonOptions = {}): Promise<Daemon> {
  const { root, node, workers, labels, scheduler, diskReserveBytes: reserveBytes } = settings;
  const { log = silentLog, lookEveryMs, workerScript } = options;
  const dataDir = await openRoot(root);
  const journal = openJournal(root);
  const instance = randomUUID();
  const startedAt = Date.now();
  const failure = Promise.withResolvers<Error>();
  const blobs = new OwnBlobs({ dataDir, reserveBytes, shared: sharedStoreOf(settings.ddfs, process.env) });
  let url = urlOf(settings.host, settings.port);
  const master = await openEngine({
    host: node,
    address: () => url.replace("http://", "disco://"),
    dataDir,
    blobs,
    ddfs: settings.ddfs,
    journal,
    slots: workers,
    labels,
    scheduler,
    memoryLimitBytes: usualMemoryLimitBytes,
    instance,
    takeover: "continue",
    guard: { room: new DiskRoom({ root, reserveBytes }), log, ...(lookEveryMs === undefined ? {} : { lookEveryMs }) },
    failed: (error) => {
      log.error({ code: error.code, hint: error.hint }, error.message);
      failure.resolve(error);
    },
    ...(workerScript === undefined ? {} : { workerScript }),
  });
  const formerHosts = master.hostsOfFiles();
  const server = await serve(settings, { master, dataDir, blobs, instance, log, formerHosts }).catch(
    async (error: unknown) => {
      await master.close();
      throw error;
    },
  );
  url = server.url;
  // What collects garbage, makes replicas and reads blobs for damage runs from the start, where there is something to look after.
  if (master.usesDdfs) {
    const looking = master.openDdfs();
    looking.catch((error: unknown) =>
      log.error({ err: error }, "DDFS cannot be opened yet: whoever uses it tries again"),
    );
  }
  const { gcAfterSeconds } = settings;
  const collector = gcAfterSeconds === null ? null : new Collector({ master, log, afterMs: gcAfterSeconds * 1_000 });
  const record = { pid: process.pid, url, instance, version: packageVersion(), startedAt };
  const withdraw = announce(root, record, log);
  // Whoever waits for this line finds the record as well.
  log.info({ url }, "serving");
  const close = async (): Promise<void> => {
    withdraw();
    collector?.stop();
    await server.close();
    await master.close();
  };
  let closing: Promise<void> | undefined;
  return { url, master, instance, failed: failure.promise, close: () => (closing ??= close()) };
}

interface Served {
  readonly master: ServedMaster;
  readonly dataDir: string;
  readonly blobs: OwnBlobs;
  readonly instance: string;
  readonly log: Log;
  /** Names that the node had. */
  readonly formerHosts: ReadonlySet<string>;
}

async function serve(
  settings: DaemonSettings,
  { master, dataDir, blobs, instance, log, formerHosts }: Served,
): Promise<HttpServer> {
  const { node, packBytesMax } = settings;
  const onError = (error: unknown, { method, url }: IncomingMessage): void =>
    log.error({ reason: error instanceof Error ? error.stack : String(error), method, url }, "a request failed");
  const api = createApi(master, { packBytesMax, onError });
  const data = createDataServer({ dataDir, host: node, formerHosts, blobs });
  return await serveHttp({ master, settings, instance, log, api, data });
}

function openJournal(root: string): LocalJournal {
  try {
    return openSqliteJournal(join(root, daemonJournalName));
  } catch (error) {
    if (error instanceof DiscoError && error.code === "journal-busy") throw rootBusy(root, error);
    throw error;
  }
}
