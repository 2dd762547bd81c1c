/** What masters of a cluster stand on, whichever engine carries it: opened by `engine-ports.ts`, or by a test in memory. */
import type { Bus } from "../bus/bus.ts";
import type { Journal } from "../journal/journal.ts";
import type { Lease } from "../lease/lease.ts";
import type { LineFeed } from "../lines/lines.ts";
import type { Handler } from "./http/handler.ts";

export interface ClusterEngine {
  readonly bus: Bus;
  readonly journal: Journal;
  readonly lease: Lease;
  readonly lines: LineFeed;
  /** Where nodes hold their streams, should the masters carry the messages themselves. */
  readonly hub?: Handler;
  /** Ends connections; the journal was closed before. */
  close(): Promise<void>;
}
