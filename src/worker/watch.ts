import { Worker } from "node:worker_threads";
import { packageModule } from "../package-files.ts";

export interface WatchData {
  /** `[0]` rises with time; `[1]` is only waited on. */
  readonly beat: Int32Array;
  /** Memory limit of the process in KiB; 0: none yet. */
  readonly limitKiB: Int32Array;
  readonly parentPid: number;
}

/** The watch thread of this process, seen from the main thread. */
export class Watch {
  readonly beat = new Int32Array(new SharedArrayBuffer(8));
  readonly #limitKiB = new Int32Array(new SharedArrayBuffer(4));

  /** `parentPid`: the process ends when this is no longer its parent. */
  start(parentPid: number): void {
    const workerData: WatchData = { beat: this.beat, limitKiB: this.#limitKiB, parentPid };
    const thread = new Worker(packageModule("worker/watch-thread"), {
      name: "disco-watch",
      workerData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    });
    thread.unref();
  }

  /** From now on the process ends itself when its resident memory is above. */
  limitMemory(bytes: number): void {
    Atomics.store(this.#limitKiB, 0, Math.min(Math.floor(bytes / 1024), 0x7fffffff));
  }
}
