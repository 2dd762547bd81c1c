/** What a node (`node.ts`) is given. */
import type { Bus } from "../bus/bus.ts";
import type { DiscoError } from "../errors.ts";
import type { OwnBlobs } from "./ddfs/own-blobs.ts";
import type { MasterDoor } from "./foreign/gateway/master-door.ts";
import type { SpareWorker } from "./spare-worker.ts";

export interface NodeOptions {
  readonly host: string;
  readonly dataDir: string;
  /** Closed by who made them. Absent: it takes none. */
  readonly blobs?: OwnBlobs | undefined;
  readonly bus: Bus;
  /** The only master that there will ever be, on one machine. Absent: the node follows whoever leads (`follow`). */
  readonly instance?: string;
  /** Unique for each start. Default: a new one. */
  readonly session?: string;
  /** Base URL of its data server, as other machines reach it. Absent: on one machine. */
  readonly url?: string;
  /** How it reaches the data servers of other nodes and of masters. Absent: on one machine, where files are read. */
  readonly remote?: RemoteAccess;
  /** The master of this process, for workers that jobs bring along. Absent: the one that leads is asked over HTTP. */
  readonly ownMaster?: () => Promise<OwnMaster>;
  /** A master does not let it in (`name-taken`, `version-mismatch` …). It goes on asking until it is closed. */
  readonly refused?: (error: DiscoError) => void;
  /** A master has let it in, for the first time or again. */
  readonly joined?: (epoch: number) => void;
  readonly slots: number;
  readonly queueDepth: number;
  /** Bytes of its disk that are to stay free: below that it is given no tasks. Default 0. */
  readonly diskReserveBytes?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Address of the master, for `task.master`: a daemon knows its port when it serves. */
  readonly master: () => string;
  /** What workers show to the masters of the environment when they read inputs there. A daemon's are given none. */
  readonly token?: string | undefined;
  /** Memory limit of the first spare worker, in bytes. */
  readonly memoryLimitBytes: number;
  /** The first spare, where it was started before the node was made. The node closes it. */
  readonly spare?: SpareWorker | undefined;
  readonly now?: () => number;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
}

export interface OwnMaster {
  /** What DDFS is asked through. */
  readonly door: MasterDoor;
  /** Names that the node had. */
  readonly formerHosts: ReadonlySet<string>;
}

export interface RemoteAccess {
  /** The cluster's, which all masters and nodes have. */
  readonly token?: string | undefined;
  /** PEM: whose certificates are trusted besides those that the system trusts. */
  readonly ca?: string | undefined;
  /** How long a node that gives nothing is asked again for outputs. Default: 20 s. */
  readonly patienceMs?: number | undefined;
}
