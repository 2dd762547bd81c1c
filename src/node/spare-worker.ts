/**
 * One process that is started before anyone needs it, so that the next job begins at once: a fork and the loading of our
 * own code take some 80 ms, a trivial job 5. Of an embedded engine it is the first part: the engine is loaded, and the first job
 * packed, while the process starts.
 */
import { rehearsalDirectory } from "./rehearsal-directory.ts";
import type { WorkerEnd } from "./verdict.ts";
import { type WorkerCommand, workerCommand } from "./worker-command.ts";
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
export interface ProcessListener {
  ready(): void;
  message(message: Parameters<ConstructorParameters<typeof WorkerProcess>[1]["message"]>[0]): void;
  ended(end: WorkerEnd): void;
}

export class StartedProcess {
  readonly process: WorkerProcess;
  readonly memoryLimitBytes: number;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  listener: ProcessListener | null = null;

  constructor(command: WorkerCommand, memoryLimitBytes: number, onSpareEnd: () => void = () => undefined) {
    this.memoryLimitBytes = memoryLimitBytes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.process = new WorkerProcess(command, {
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
  #spare: StartedProcess | null = null;
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
    if (this.#closed || (this.#timer !== undefined && this.#dueAt <= at)) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.prepare();
    }, delayMs);
    this.#timer.unref();
  }

  /** Starts one now, unless there is one. */
  prepare(): void {
    if (this.#closed || this.#spare !== null || this.#died) return;
    const command = this.#command({ memoryLimitBytes: this.#memoryLimitBytes, rehearsalDir: this.#rehearsalDir });
    const spare = new StartedProcess(command, this.#memoryLimitBytes, () => {
      if (this.#spare !== spare) return;
      this.#spare = null;
      this.#died = true;
    });
    this.#spare = spare;
  }

  /** The spare if it fits, else a new process. The next spare will have this memory limit. */
  take(memoryLimitBytes: number, libraryDir: string | undefined): StartedProcess {
    this.#died = false;
    const spare = this.#spare;
    if (libraryDir === undefined && spare !== null && spare.memoryLimitBytes === memoryLimitBytes) {
      this.#spare = null;
      return spare;
    }
    if (spare !== null && spare.memoryLimitBytes !== memoryLimitBytes) this.drop();
    this.#memoryLimitBytes = memoryLimitBytes;
    const command = this.#command({ memoryLimitBytes, ...(libraryDir === undefined ? {} : { libraryDir }) });
    return new StartedProcess(command, memoryLimitBytes);
  }

  /** Resolves when there is none any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const spare = this.#spare;
    this.drop();
    await spare?.gone;
  }

  drop(): void {
    const spare = this.#spare;
    this.#spare = null;
    spare?.process.kill(0);
  }

  get pid(): number | null {
    return this.#spare?.process.pid ?? null;
  }

  #command(options: Parameters<typeof workerCommand>[0]): WorkerCommand {
    return workerCommand(this.#script === undefined ? options : { ...options, script: this.#script });
  }
}
