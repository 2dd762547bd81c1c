/**
 * V8's CPU profiler in this process. Its first recording costs 20 to 40 ms, because V8 has to list all code that there is; one that
 * begins while another is on costs a fifth of a millisecond. So recordings overlap:
 *
 *   task        ├── task 0 ──┤        ├── task 1 ──┤
 *   between                 ├─ keeper ─┤           ├─ keeper ─┤ (stopped after `keepMs`)
 *
 * R1. While a task is recorded, exactly one recording is its own; `cut` replaces it by a new one, so that a long task's samples,
 *     which V8 keeps in memory, do not pile up.
 * R2. Nothing is recorded later than `keepMs` after a task: samples of an idle process cost memory as well.
 * R3. V8 inlines no functions from the first recording on: it gives the time of an inlined function to the one that it was inlined
 *     into, and a map that is hot enough is inlined into Disco's own loop. That is for the life of the process, which
 *     therefore never works for a job that is not profiled (`codeKey` in `client/job-pack.ts`).
 */
import { console as inspectorConsole, Session } from "node:inspector";
import { setFlagsFromString } from "node:v8";

/** Microseconds between two samples: V8's own default. Half as many would halve the overhead and the resolution. */
export const samplingIntervalMicros = 1_000;
const keepMs = 1_000;

/** As V8 gives it: the standard format. Lines and columns count from 0. */
export interface V8Profile {
  readonly nodes: readonly V8Node[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

export interface V8Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly children?: readonly number[];
  /** `line` counts from 1. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

interface Profiling {
  profile(title: string): void;
  profileEnd(title: string): void;
}
// The inspector's own console: the global one is a task's.
const profiling = inspectorConsole as unknown as Profiling;

class Recorder {
  readonly #session = new Session();
  #isOpen = false;
  #count = 0;
  #finished: V8Profile | null = null;
  /** Titles: V8 knows a recording by its own. */
  #task: string | null = null;
  #keeper: string | null = null;
  #idle: NodeJS.Timeout | undefined;

  /** Begins a task's recording. Throws what the inspector says where there is none. */
  begin(): void {
    this.#open();
    clearTimeout(this.#idle);
    if (this.#task !== null) this.#stop(this.#task);
    this.#task = this.#start();
    if (this.#keeper !== null) this.#stop(this.#keeper);
    this.#keeper = null;
  }

  /** What was recorded since `begin` or the last `cut`; the recording goes on. */
  cut(): V8Profile | null {
    if (this.#task === null) return null;
    const before = this.#task;
    this.#task = this.#start();
    return this.#stop(before);
  }

  /** Ends the recording of the task. */
  end(): V8Profile | null {
    if (this.#task === null) return null;
    this.#keeper = this.#start();
    const profile = this.#stop(this.#task);
    this.#task = null;
    this.#idle = setTimeout(() => this.#release(), keepMs).unref();
    return profile;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#session.connect();
    this.#session.on("Profiler.consoleProfileFinished", ({ params }) => {
      this.#finished = params.profile as V8Profile;
    });
    let failure: Error | null = null;
    const note = (error: Error | null): void => {
      failure ??= error;
    };
    this.#session.post("Profiler.enable", note);
    this.#session.post("Profiler.setSamplingInterval", { interval: samplingIntervalMicros }, note);
    if (failure !== null) throw failure as Error;
    for (const flag of ["--no-turbo-inlining", "--no-maglev-inlining"]) setFlagsFromString(flag);
    this.#isOpen = true;
  }

  #start(): string {
    const title = `disco-${this.#count++}`;
    profiling.profile(title);
    return title;
  }

  #stop(title: string): V8Profile | null {
    this.#finished = null;
    // Tells `consoleProfileFinished` before it returns.
    profiling.profileEnd(title);
    const profile = this.#finished;
    this.#finished = null;
    return profile;
  }

  #release(): void {
    if (this.#keeper !== null) this.#stop(this.#keeper);
    this.#keeper = null;
  }
}

/** The one of this process: V8 has one sampler. */
export const recorder = new Recorder();
