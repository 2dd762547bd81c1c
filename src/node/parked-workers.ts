/**
 * Workers that stay when their job has ended, for the next job with the very same code: a loop of jobs (k-means, PageRank)
 * then pays neither for new processes nor for loading its functions again.
 *
 * P1. Only a worker that never failed, has nothing to do and holds no files of its own is kept.
 * P2. The code is the same when its key is: functions, shipped values, required modules, command line.
 * P3. A parked worker takes no slot, and goes after `parkedMsMax`.
 */
import type { StartedProcess } from "./spare-worker.ts";

/** Long enough for a script that thinks between two jobs. */
const parkedMsMax = 15_000;
const exitPatienceMs = 1_000;

interface Parked {
  readonly key: string;
  readonly started: StartedProcess;
  readonly timer: NodeJS.Timeout;
}

export class ParkedWorkers {
  readonly #capacity: number;
  /** Oldest first. */
  #parked: Parked[] = [];
  /** Told to go, and not gone yet. */
  readonly #leaving = new Set<StartedProcess>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What a worker must share with a job to serve it; `null`: never. */
  static key(codeKey: string | null, memoryLimitBytes: number): string | null {
    return codeKey === null ? null : `${codeKey}:${memoryLimitBytes}`;
  }

  park(key: string, started: StartedProcess): void {
    started.process.send({ kind: "release" });
    const parked: Parked = { key, started, timer: setTimeout(() => this.#evict(parked), parkedMsMax) };
    parked.timer.unref();
    started.listener = { ready: () => {}, message: () => {}, ended: () => this.#forget(parked) };
    this.#parked.push(parked);
    const oldest = this.#parked[0];
    if (this.#parked.length > this.#capacity && oldest !== undefined) this.#evict(oldest);
  }

  /** One that fits, taken out: its listener is to be replaced. */
  take(key: string | null): StartedProcess | null {
    const parked = key === null ? undefined : this.#parked.findLast((candidate) => candidate.key === key);
    if (parked === undefined || parked.started.process.state !== "ready") return null;
    this.#forget(parked);
    return parked.started;
  }

  get pids(): number[] {
    return this.#processes().flatMap(({ process }) => process.pid ?? []);
  }

  /** Resolves when they are gone. */
  async close(): Promise<void> {
    const processes = this.#processes();
    this.killAll();
    await Promise.all(processes.map(({ gone }) => gone));
  }

  killAll(): void {
    for (const { process } of this.#processes()) process.kill(0);
    for (const parked of [...this.#parked]) this.#forget(parked);
  }

  #processes(): StartedProcess[] {
    return [...this.#parked.map(({ started }) => started), ...this.#leaving];
  }

  #evict(parked: Parked): void {
    this.#forget(parked);
    const { started } = parked;
    this.#leaving.add(started);
    void started.gone.then(() => this.#leaving.delete(started));
    started.process.send({ kind: "exit" });
    setTimeout(() => started.process.kill(0), exitPatienceMs).unref();
  }

  #forget(parked: Parked): void {
    clearTimeout(parked.timer);
    this.#parked = this.#parked.filter((other) => other !== parked);
  }
}
