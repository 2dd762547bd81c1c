import type { NodeReport } from "../protocol/messages.ts";
import type { WorkerSurroundings } from "./bind-message.ts";
import type { SpareWorker } from "./spare-worker.ts";

/** What the worker processes of a node (`worker-pool.ts`) are given. */
export interface WorkerPoolOptions extends WorkerSurroundings {
  /** At first; `resize` changes it. */
  readonly slots: number;
  /** Part of worker ids, so that two lives of a node never write to the same file. */
  readonly incarnation: string;
  /** Memory limit of the first spare. */
  readonly memoryLimitBytes: number;
  /** The first spare, where it was started before the pool was made. The pool closes it. */
  readonly spare?: SpareWorker | undefined;
  readonly report: (report: NodeReport) => void;
  /** A worker found a blob of this node damaged. */
  readonly damaged?: (url: string) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Instead of `worker/main`, in tests. */
  readonly script?: string;
}
