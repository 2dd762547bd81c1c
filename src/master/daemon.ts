/**
 * The daemon: the engine of this machine with a door, an HTTP server (`http/server.ts`). It goes on with what its predecessor
 * left, whatever the end of that one was.
 *
 *   lock (journal) ─▶ replay ─▶ node joins ─▶ the server listens ─▶ daemon.json ─▶ … ─▶ daemon.json goes ─▶ the rest, backwards
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DiscoError } from "../errors.ts";
import type { LocalJournal } from "../journal/local.ts";
import { openSqliteJournal } from "../journal/sqlite.ts";
import { packageVersion } from "../package-version.ts";
import { type DaemonSettings, daemonJournalName } from "../settings/daemon-settings.ts";
import { removeDaemonRecord, rootBusy, writeDaemonRecord } from "./daemon-record.ts";
import { openEngine } from "./engine.ts";
import { startServer } from "./http/server.ts";
import { openRoot } from "./root.ts";
import type { ServedMaster } from "./served-master.ts";

/** Where the daemon says what happens to it: pino's interface, as far as it is used. */
export interface DaemonLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

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
  readonly log?: DaemonLog;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
}

/** Memory limit of jobs that say none: the first worker is started with it before a job comes. */
const usualMemoryLimitBytes = 1024 * 1024 * 1024;
const silent: DaemonLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Opens the daemon on its root directory, and resolves when it serves.
 * @throws DiscoError `root-busy`, `bad-root`, `newer-version`, `journal-corrupt` …, and what the server throws when it cannot listen
 */
export async function openDaemon(settings: DaemonSettings, options: DaemonOptions = {}): Promise<Daemon> {
  const { root } = settings;
  const log = options.log ?? silent;
  const dataDir = await openRoot(root);
  const journal = openJournal(root);
  const instance = randomUUID();
  const startedAt = Date.now();
  const failure = Promise.withResolvers<Error>();
  const { master } = await openEngine({
    host: settings.node,
    address: `disco://${settings.host}:${settings.port}`,
    dataDir,
    journal,
    slots: settings.workers,
    labels: settings.labels,
    scheduler: settings.scheduler,
    memoryLimitBytes: usualMemoryLimitBytes,
    instance,
    ...(options.workerScript === undefined ? {} : { workerScript: options.workerScript }),
  });
  const server = await startServer({ master, settings, instance, log }).catch(async (error: unknown) => {
    await master.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    removeDaemonRecord(root, instance);
    await server.close();
    await master.close();
  };
  try {
    writeDaemonRecord(root, { pid: process.pid, url: server.url, instance, version: packageVersion(), startedAt });
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return { url: server.url, master, instance, failed: failure.promise, close: () => (closing ??= close()) };
}

function openJournal(root: string): LocalJournal {
  try {
    return openSqliteJournal(join(root, daemonJournalName));
  } catch (error) {
    if (error instanceof DiscoError && error.code === "journal-busy") throw rootBusy(root, error);
    throw error;
  }
}
