/**
 * One external program, from its start to its end: a process with three pipes. It knows about bytes and exit codes, nothing about records.
 *
 *   starting ──spawned──▶ running ──exit──▶ draining ──pipes at their end──▶ ended          any ──fault, close()──▶ killed
 *
 * P1. Output is taken whenever it comes, also while input waits for the program to read. So it does not matter when a program reads and
 *     when it writes: whatever it wants to do next, this side does not stand in its way.
 * P2. One chunk of input waits at most; output is handed on at once and never kept. Memory does not depend on the amount of data.
 * P3. The first fault counts. With it the program is killed; with its end, whatever it left behind (`leftovers.ts`).
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { killMarked, markName } from "./leftovers.ts";
import { LogLines, type LogSink } from "./log-lines.ts";

/** The system refuses to run a file that a process being forked just now still has open for writing. */
const busyRetries = 20;
const busyDelayMs = 10;
/** After the exit the pipes end by themselves, unless somebody else holds them: then it is killed. */
const drainMs = 250;
/** Ids of processes do not come round again within so long. */
const newIdsMs = 10_000;
/** Between two looks at its memory. */
const memoryCheckMs = 200;

export interface ProgramOptions {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Its resident memory, at most. */
  readonly memoryLimitBytes: number;
  /** May throw: that is a fault. */
  readonly output: (chunk: Buffer) => void;
  readonly log: LogSink;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

let starts = 0;

export class ExternalProgram {
  /** Exited, and all of its output taken. */
  readonly ended: Promise<ProgramEnd>;
  /** It closed its output, or exited. */
  readonly outputEnded: Promise<void>;
  /** Never resolves; rejects with the first fault. */
  readonly fault: Promise<never>;
  readonly #child: Child;
  readonly #mark: string;
  readonly #startedAt = performance.now();
  readonly #lines: LogLines;
  readonly #fail: (error: unknown) => void;
  #accepted: Promise<boolean> = Promise.resolve(true);
  #outputBytes = 0;
  #failed = false;
  #memoryTimer: NodeJS.Timeout | undefined;

  private constructor(child: Child, mark: string, options: ProgramOptions) {
    this.#child = child;
    this.#mark = mark;
    this.#lines = new LogLines(options.log);
    const fault = Promise.withResolvers<never>();
    this.fault = fault.promise;
    this.fault.catch(() => {});
    this.#fail = (error) => {
      if (this.#failed) return;
      this.#failed = true;
      fault.reject(error);
      this.kill();
    };
    // Whether it is there, and what ends it, is asked in other ways; a signal that it may not get is no reason to end the worker.
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {});
    child.stderr.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => {
      this.#outputBytes += chunk.length;
      this.#guarded(() => options.output(chunk));
    });
    child.stderr.on("data", (chunk: Buffer) => this.#guarded(() => this.#lines.push(chunk)));
    this.outputEnded = new Promise((resolve) => child.stdout.once("end", () => resolve()));
    this.ended = this.#watch();
  }

  /** Rejects with what the system says: a Node.js error with a code as `ENOENT`. */
  static async start(options: ProgramOptions): Promise<ExternalProgram> {
    for (let busy = 0; ; busy++) {
      const mark = `${process.pid}-${++starts}`;
      const child = spawn(options.file, [...options.args], {
        cwd: options.directory,
        env: { ...process.env, [markName]: mark },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const program = new ExternalProgram(child, mark, options);
      try {
        await once(child, "spawn");
        program.#watchMemory(options.memoryLimitBytes);
        return program;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ETXTBSY" || busy === busyRetries) throw error;
        await delay(busyDelayMs);
      }
    }
  }

  /** The end of what it wrote to stderr outside of messages. */
  get lastWords(): string {
    return this.#lines.lastWords;
  }

  /** The most memory that it may have was exceeded. Overwritten by whoever wants to know. */
  onMemory: (bytes: number) => void = () => {};

  /** Ends the program with this error, unless it failed before. */
  fail(error: unknown): void {
    this.#fail(error);
  }

  /**
   * Resolves when `bytes` may wait in the pipe since all before are through: `bytes` must not change before the next call has resolved.
   * `false`: it takes no input any more.
   */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (!(await this.#accepted)) return false;
    this.#accepted = new Promise((resolve) => {
      this.#child.stdin.write(bytes, (error) => resolve(error === null || error === undefined));
    });
    return true;
  }

  /** No more input. `false`: not all of it was taken. */
  async endInput(): Promise<boolean> {
    if (!(await this.#accepted)) return false;
    const { stdin } = this.#child;
    return new Promise<boolean>((resolve) => {
      stdin.once("close", () => resolve(stdin.writableFinished));
      stdin.end((error?: Error | null) => resolve(error === null || error === undefined));
    });
  }

  /** SIGKILL, at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Leaves nothing of it behind. */
  close(): void {
    clearInterval(this.#memoryTimer);
    this.kill();
    this.#killLeftovers();
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  async #watch(): Promise<ProgramEnd> {
    const child = this.#child;
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once("exit", (...end) => resolve(end));
    });
    clearInterval(this.#memoryTimer);
    await this.#drained(closed);
    this.#guarded(() => this.#lines.end());
    return { code, signal };
  }

  /** What is in the pipes still comes, however long that takes; who holds them open without writing does not keep us. */
  async #drained(closed: Promise<void>): Promise<void> {
    let isClosed = false;
    const done = closed.then(() => {
      isClosed = true;
    });
    for (let looks = 0; ; looks++) {
      const before = this.#outputBytes;
      await Promise.race([done, delay(drainMs, undefined, { ref: false })]);
      // One turn of the event loop: what lies in the pipe is read in it, had we been too busy to.
      await new Promise((resolve) => setImmediate(resolve));
      if (isClosed) return;
      if (looks === 0) this.#killLeftovers();
      else if (this.#outputBytes === before) return;
    }
  }

  #killLeftovers(): void {
    const { pid } = this.#child;
    const isNew = performance.now() - this.#startedAt < newIdsMs;
    if (pid !== undefined) killMarked(this.#mark, isNew ? pid : null);
  }

  #guarded(work: () => void): void {
    if (this.#failed) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Only where there is a /proc. */
  #watchMemory(limitBytes: number): void {
    this.#memoryTimer = setInterval(() => {
      const bytes = residentBytes(this.#child.pid);
      if (bytes > limitBytes) this.onMemory(bytes);
    }, memoryCheckMs);
    this.#memoryTimer.unref();
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
