/** A process that a test starts, waits for by what it prints, and ends, pauses or starts again at any moment. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { killAtExit } from "../../src/child-process.test-kit.ts";

export interface ProcessOptions {
  /** By which a failure calls it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Starts it somewhere else than here (`Hosts.spawn`). */
  readonly spawn?: typeof spawn;
}

/** How long anything is waited for that a process should print. */
const patienceMs = 30_000;

export class TestProcess implements AsyncDisposable {
  readonly #options: ProcessOptions;
  #child: ChildProcess | null = null;
  #output = "";
  #noted: (() => void)[] = [];

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#options.name} does not run`);
    return pid;
  }

  get runs(): boolean {
    return this.#child !== null;
  }

  /** All that it has printed since its last start. */
  get output(): string {
    return this.#output;
  }

  /** Starts it; resolves when it has printed what matches. */
  async start(ready: RegExp): Promise<RegExpExecArray> {
    if (this.#child !== null) throw new Error(`${this.#options.name} runs already`);
    const { command, args, env } = this.#options;
    const child = (this.#options.spawn ?? spawn)(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    killAtExit(child);
    this.#output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#wake();
      });
    }
    const gone = (): void => {
      if (this.#child === child) this.#child = null;
      this.#wake();
    };
    child.once("close", gone).once("error", gone);
    this.#child = child;
    return await this.printed(ready);
  }

  /** Resolves as soon as it has printed what matches. Fails when it ends before, or when that takes too long. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const found = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(this.#output);
      if (found !== null) return found;
      const left = end - performance.now();
      if (this.#child === null || left <= 0) {
        const how = this.#child === null ? "ended" : `took ${patienceMs} ms`;
        throw new Error(`${this.#options.name} ${how} without ${pattern}:\n${this.#output}`);
      }
      await this.#change(left);
    }
  }

  /** Ends it without a word; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Asks it to end; resolves with its exit code, `null` when a signal ended it. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    const closed = once(child, "close");
    child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }

  /** It stands still, with its connections open, as a machine does that is frozen. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  wake(): void {
    process.kill(this.pid, "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #change(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#noted.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wake(): void {
    const noted = this.#noted;
    this.#noted = [];
    for (const wake of noted) wake();
  }
}
