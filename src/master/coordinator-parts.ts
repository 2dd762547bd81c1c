/** What a coordinator is made of. */
import type { SaveResults } from "../core/commands.ts";
import type { MasterOptions } from "../core/master.ts";
import type { DiscoError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import type { LineFeed } from "../lines/lines.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { EventLogs } from "./event-log.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeLink } from "./node-link.ts";

export interface CoordinatorParts {
  /** One in this process, or one that answers later (`Coordinator.follow`). */
  readonly journal: Journal;
  /** Unique name of this process in the journal. */
  readonly writer: string;
  readonly nodes: NodeLink;
  readonly logs: EventLogs;
  readonly files: JobFiles;
  readonly signals: JobSignals;
  readonly progress: LiveProgress;
  readonly keepAlive: KeepAlive;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * What becomes of jobs that the last owner of the journal left unfinished, and of those that this one leaves. `interrupt`: they
   * are dead, as their workers are. `continue`: they go on with whoever opens the journal.
   */
  readonly takeover: "interrupt" | "continue";
  readonly options?: MasterOptions;
  /**
   * The disk of the root. Below its reserve no job is taken; with a journal in this process, which lies there with all else, no task
   * starts either. Absent: nobody looks, and a journal in this process that fails is the end (C3).
   */
  readonly room?: DiskRoom;
  /** Whether nothing is assigned before all nodes that were there have joined again. Default: so it is. */
  readonly awaitNodes?: boolean;
  /** What tasks say, to the other masters and from them. */
  readonly lines?: LineFeed;
  /** Address of the master that leads, where it is known. */
  readonly leader?: () => string | null;
  /** Keeps results in DDFS, and records how that went. Absent: no job asks for it. */
  readonly save?: (command: SaveResults) => void;
  /** A node was given up: whoever composed the engine may have it join again. */
  readonly nodeLost?: (host: string) => void;
  /** It cannot decide any more (C3): what runs, runs for nothing. Called once. */
  readonly failed?: (error: DiscoError) => void;
}
