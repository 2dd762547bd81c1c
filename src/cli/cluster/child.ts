/**
 * A process of a cluster on one machine: its lines as they come, and how it ended. It leads a group of its own, so that Ctrl-C in a
 * terminal reaches only the one that started it, which ends all in order; what is ended without a word takes its own children with it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DiscoError } from "../../errors.ts";

/** A node says goodbye and ends its workers in less. */
const stopPatienceMs = 15_000;
const tailLines = 8;

export interface ChildParts {
  /** By which its lines and its end are told. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Each line that it prints. */
  readonly line: (text: string) => void;
}

export class Child {
  readonly name: string;
  /** With which it ended; `null`: it runs, or a signal ended it. */
  status: number | null = null;
  /** Resolves with how it ended, for people. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #tail: string[] = [];
  #watching: ((text: string) => void) | null = null;
  #runs = true;

  constructor({ name, command, args, env, line }: ChildParts) {
    this.name = name;
    // The channel tells a child of ours when this process is gone, however that ended.
    this.#process = spawn(command, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#process.on("message", () => undefined);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (text) => {
        this.#tail.push(text);
        if (this.#tail.length > tailLines) this.#tail.shift();
        line(text);
        this.#watching?.(text);
      });
    }
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#process.once("error", (error) => {
      this.#runs = this.#process.pid !== undefined && this.#runs;
      if (!this.#runs) resolve(`could not be started: ${error.message}`);
    });
    this.#process.once("close", (code, signal) => {
      this.#runs = false;
      this.status = code;
      resolve(signal === null ? `ended with status ${code}` : `was ended by ${signal}`);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * What the first line says that `read` understands.
   * @throws DiscoError `start-failed` with its last lines, when it ends before
   */
  async said<T>(read: (line: string) => T | null): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#watching = (text) => {
      const value = read(text);
      if (value !== null) resolve(value);
    };
    const gone = this.ended.then((how): never => {
      // What it said to people is in its log as well.
      const toPeople = this.#tail.filter((text) => !text.startsWith("{"));
      const tail = toPeople.length === 0 ? this.#tail : toPeople;
      throw new DiscoError(`${this.name} ${how}. Its last lines:\n\n${tail.join("\n")}\n`, {
        code: "start-failed",
        hint: "The lines above say why.",
      });
    });
    try {
      return await Promise.race([promise, gone]);
    } finally {
      this.#watching = null;
      gone.catch(() => undefined);
    }
  }

  /** Asks it to end, and after a while does not ask. */
  async stop(): Promise<void> {
    if (!this.#runs) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), stopPatienceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** At once, with all that it started. */
  kill(): void {
    const { pid } = this.#process;
    if (!this.#runs || pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended meanwhile, or this system has no groups.
      this.#process.kill("SIGKILL");
    }
  }
}
