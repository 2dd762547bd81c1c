/** What a master is made of, as clients in its process see it (`local-master.ts`). */
import type { Alarm, MasterInfo } from "../client/master-api.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { Ddfs } from "../ddfs/ddfs.ts";
import type { Claims } from "./claims.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DistantFiles } from "./distant-files.ts";
import type { EventLogs } from "./event-log.ts";
import type { HeldPack } from "./held-pack.ts";
import type { ReadIndex } from "./index-reader.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { Leading } from "./leading.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeWatch } from "./node-answers.ts";
import type { NodeLink } from "./node-link.ts";

export interface LocalMasterParts {
  readonly coordinator: Coordinator;
  readonly nodes: NodeLink;
  readonly logs: EventLogs;
  readonly files: JobFiles;
  readonly claims?: Claims;
  readonly signals: JobSignals;
  readonly progress: LiveProgress;
  readonly keepAlive: KeepAlive;
  readonly dataDir: string;
  /** Throws for a job that none of the nodes that there will ever be can run. */
  readonly assertRunnable: (spec: JobSpec, packBytes: number) => void;
  /** Opens DDFS, with the first call. */
  readonly ddfs: () => Promise<Ddfs>;
  /** Has nodes hold the job's pack, as a master's disk may go with it. Absent: on one machine. */
  readonly holdPack?: (job: string) => Promise<HeldPack>;
  readonly readIndex: ReadIndex;
  /** What lies on other machines. Absent: there are none. */
  readonly distant?: Pick<DistantFiles, "pack" | "value">;
  readonly now: () => number;
  /** Who hears the heartbeats of nodes, where they send any; `null`: nobody at present. */
  readonly watch?: () => NodeWatch | null;
  /** Where there are several masters. */
  readonly leading?: Leading;
  readonly identity: MasterIdentity;
  /** What somebody should do something about. */
  readonly alarms: () => readonly Alarm[];
  /** Where uploads are written, on the disk of `dataDir`. */
  readonly incomingDir: string;
  /** Ends the engine. */
  readonly close: () => Promise<void>;
}

/** What stays the same as long as a master lives. */
export type MasterIdentity = Pick<MasterInfo, "version" | "instance" | "root" | "startedAt" | "scheduler" | "journal">;
