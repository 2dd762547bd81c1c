/**
 * One process that is started before anyone needs it, so that the next job begins at once: a fork and the loading of our
 * own code take some 100 ms, a trivial job 5.
 */
import { type WorkerCommand, workerCommand } from "./worker-command.ts";
import { WorkerProcess } from "./worker-process.ts";
import type { WorkerEnd } from "./verdict.ts";

export interface SpareOptions {
  readonly memoryLimitBytes: number;
  readonly script?: string;
}

/** A process's events go to whoever has it: the spare's keeper first, then the worker it becomes. */
export interface ProcessListener {
  ready(): void;
  message(message: Parameters<ConstructorParameters<typeof WorkerProcess>[1]["message"]>[0]): void;
  ended(end: WorkerEnd): void;
}

export class StartedProcess {
  readonly process: WorkerProcess;
  readonly memoryLimitBytes: number;
  listener: ProcessListener | null = null;

  constructor(command: WorkerCommand, memoryLimitBytes: number, onSpareEnd: () => void = () => undefined) {
    this.memoryLimitBytes = memoryLimitBytes;
    this.process = new WorkerProcess(command, {
      ready: () => this.listener?.ready(),
      message: (message) => this.listener?.message(message),
      ended: (end) => {
        if (this.listener === null) onSpareEnd();
        else this.listener.ended(end);
      },
    });
  }
}

export class SpareWorker {
  #spare: StartedProcess | null = null;
  #memoryLimitBytes: number;
  readonly #script: string | undefined;
  /** A spare that dies by itself is not replaced until the next use: no loop of crashes in the background. */
  #died = false;

  constructor(options: SpareOptions) {
    this.#memoryLimitBytes = options.memoryLimitBytes;
    this.#script = options.script;
  }

  /** Starts one unless there is one. */
  prepare(): void {
    if (this.#spare !== null || this.#died) return;
    const spare = new StartedProcess(this.#command(this.#memoryLimitBytes), this.#memoryLimitBytes, () => {
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
    return new StartedProcess(this.#command(memoryLimitBytes, libraryDir), memoryLimitBytes);
  }

  drop(): void {
    const spare = this.#spare;
    this.#spare = null;
    if (spare === null) return;
    spare.process.kill(0);
  }

  get pid(): number | null {
    return this.#spare?.process.pid ?? null;
  }

  #command(memoryLimitBytes: number, libraryDir?: string): WorkerCommand {
    return workerCommand({
      memoryLimitBytes,
      ...(libraryDir === undefined ? {} : { libraryDir }),
      ...(this.#script === undefined ? {} : { script: this.#script }),
    });
  }
}
