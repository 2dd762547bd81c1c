/** What a daemon (master and node in one process) is started with: checked, complete, and with no default left open. */

export type Scope = "read" | "submit" | "admin";

export interface DaemonSettings {
  /** Absolute path: journal, log, data. `DISCO_ROOT`. */
  readonly root: string;
  /** Address to listen at. `DISCO_HOST`; default 127.0.0.1. Any that is not loopback needs a token. */
  readonly host: string;
  /** `DISCO_PORT`; default 8989, 0 takes a free one. */
  readonly port: number;
  /** Name of this machine's node, in addresses of results. `DISCO_NODE`; default `localhost`, else the machine's name. */
  readonly node: string;
  /** Worker processes at once. `DISCO_WORKERS`; default: the number of cores. */
  readonly workers: number;
  /** Labels of the node. `DISCO_LABELS` (`key=value,…`). */
  readonly labels: Readonly<Record<string, string>>;
  /** `DISCO_SCHEDULER` (`fair`, `fifo`), `DISCO_SCHEDULER_ALPHA` (above 0, at most 1). */
  readonly scheduler: { readonly policy: "fair" | "fifo"; readonly alpha: number };
  /** Jobs are purged so many seconds after their end. `DISCO_GC_AFTER`; `null` (the default): never. */
  readonly gcAfterSeconds: number | null;
  /** Tokens by what they allow; each includes what stands before it: read, submit, admin. `DISCO_TOKEN` is the admin's. */
  readonly tokens: Readonly<Partial<Record<Scope, string>>>;
  /** Names under which browsers and clients may address the server, besides its own addresses. `DISCO_ALLOWED_HOSTS`. */
  readonly allowedHosts: readonly string[];
  /** Networks (`10.1.0.0/16`) whose machines need no token. `DISCO_TRUSTED_NETWORKS`; default: none. */
  readonly trustedNetworks: readonly string[];
  /** Bytes of one job pack. `DISCO_PACK_MAX`; default 1 GiB. */
  readonly packBytesMax: number;
  /** Free bytes of the root's disk below which the master takes no jobs and starts no tasks. `DISCO_DISK_RESERVE`; default 64 MiB. */
  readonly diskReserveBytes: number;
  readonly ddfs: DdfsSettings;
  /** `DISCO_LOG_LEVEL`; default info. */
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
}

export interface DdfsSettings {
  /** `DDFS_BLOB_REPLICAS`; `null` (the default): one on one machine, else three or as many as there are nodes. */
  readonly blobReplicas: number | null;
  /** `DDFS_TAG_REPLICAS`; default 3. Of a cluster. */
  readonly tagReplicas: number;
  /** `DDFS_STORE`; `null` (the default): volumes of nodes. */
  readonly store?: string | null;
  /** `DDFS_GC_GRACE`, `DDFS_GC_INTERVAL` …, in milliseconds; `null`: never by itself. */
  readonly times: {
    readonly graceMs: number;
    readonly intervalMs: number | null;
    readonly lostAfterMs: number;
    readonly scrubIntervalMs: number | null;
  };
}

/**
 * What a running daemon says of itself in `ROOT/daemon.json` (mode 0600), from when it serves until it stops. The file may be
 * stale: the process that wrote it answers `/healthz` with the same `instance`.
 */
export interface DaemonRecord {
  readonly pid: number;
  /** Base URL of its HTTP server, as clients on this machine reach it. */
  readonly url: string;
  readonly instance: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Name of the file of the `DaemonRecord`, below the root. */
export const daemonRecordName = "daemon.json";
/** Name of the daemon's journal, below the root: embedded engines, which end the jobs of a dead owner, have others. */
export const daemonJournalName = "master.sqlite";
/** Name of the log of a daemon in the background, below the root. */
export const daemonLogName = "daemon.log";
