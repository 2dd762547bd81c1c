/**
 * A process that is started before anyone needs it, so that the next job begins at once: a fork and the loading of our
 * own code take some 80 ms, a trivial job 5. Of an embedded engine it is the first part: the engine is loaded, and the first job
 * packed, while the process starts. Where that job will want several processes, they all start then; later there is one spare at most.
 */
import { rehearsalDirectory } from "./rehearsal-directory.ts";
import { workerCommand } from "./worker-command.ts";
import type { WorkerEvents, WorkerHandle } from "./worker-handle.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface SpareOptions {
  /** Of the jobs to come. Default: what a job has that says nothing. */
  readonly memoryLimitBytes?: number;
  /** The node's; it need not exist yet. */
  readonly dataDir: string;
  /** Instead of `worker/main`, in tests. */
  readonly script?: string;
}

/** In bytes, of a job that says nothing. */
export const usualMemoryLimitBytes = 1024 ** 3;

/** A process's events go to whoever has it: the spare's keeper first, then the worker it becomes. */
export class StartedProcess {
  readonly process: WorkerHandle;
  readonly memoryLimitBytes: number;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  listener: WorkerEvents | null = null;

  constructor(
    start: (events: WorkerEvents) => WorkerHandle,
    memoryLimitBytes: number,
    onSpareEnd: () => void = () => undefined,
  ) {
    this.memoryLimitBytes = memoryLimitBytes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.process = start({
      ready: () => this.listener?.ready(),
      message: (message) => this.listener?.message(message),
      ended: (end) => {
        resolve();
        if (this.listener === null) onSpareEnd();
        else this.listener.ended(end);
      },
    });
  }
}

export class SpareWorker {
  /** Those that nobody has taken yet, the oldest first. */
  #spares: StartedProcess[] = [];
  #memoryLimitBytes: number;
  readonly #rehearsalDir: string;
  readonly #script: string | undefined;
  /** A spare that dies by itself is not replaced until the next use: no loop of crashes in the background. */
  #died = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;

  constructor(options: SpareOptions) {
    this.#memoryLimitBytes = options.memoryLimitBytes ?? usualMemoryLimitBytes;
    this.#rehearsalDir = rehearsalDirectory(options.dataDir);
    this.#script = options.script;
  }

  /** Starts one after so long. Starting takes the time of a short job: not while one begins. A shorter delay wins. */
  prepareIn(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.#closed || this.#spares.length > 0 || (this.#timer !== undefined && this.#dueAt <= at)) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.prepare();
    }, delayMs);
    this.#timer.unref();
  }

  /** Not now, then. */
  putOff(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Starts what is missing of `count`, now. */
  prepare(count = 1): void {
    if (this.#closed || this.#died) return;
    while (this.#spares.length < count) this.#spares.push(this.#start());
  }

  #start(): StartedProcess {
    const start = this.#starter({ memoryLimitBytes: this.#memoryLimitBytes, rehearsalDir: this.#rehearsalDir });
    const spare = new StartedProcess(start, this.#memoryLimitBytes, () => {
      const at = this.#spares.indexOf(spare);
      if (at === -1) return;
      this.#spares.splice(at, 1);
      this.#died = true;
    });
    return spare;
  }

  /** A spare if it fits, else a new process. The next spare will have this memory limit. */
  take(memoryLimitBytes: number, libraryDir: string | undefined): StartedProcess {
    this.#died = false;
    // All spares have the same limit.
    if (memoryLimitBytes !== this.#memoryLimitBytes) this.drop();
    const spare = libraryDir === undefined ? this.#spares.shift() : undefined;
    if (spare !== undefined) return spare;
    this.#memoryLimitBytes = memoryLimitBytes;
    const start = this.#starter({ memoryLimitBytes, ...(libraryDir === undefined ? {} : { libraryDir }) });
    return new StartedProcess(start, memoryLimitBytes);
  }

  /** Resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const spares = this.#spares;
    this.drop();
    await Promise.all(spares.map(({ gone }) => gone));
  }

  drop(): void {
    const spares = this.#spares;
    this.#spares = [];
    for (const { process } of spares) process.kill(0);
  }

  get pids(): number[] {
    return this.#spares.flatMap(({ process }) => process.pid ?? []);
  }

  #starter(options: Parameters<typeof workerCommand>[0]): (events: WorkerEvents) => WorkerHandle {
    const command = workerCommand(this.#script === undefined ? options : { ...options, script: this.#script });
    return (events) => new WorkerProcess(command, events);
  }
}
