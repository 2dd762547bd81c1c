/**
 * Commands that may be interrupted. Each runs in a process group of its own, with all that it starts. Whoever ends the benchmarks
 * (Ctrl-C) ends the group that runs; this process lives on until all of the group are gone, and cleans up: nothing is left that
 * writes into a folder which is removed, or which the next run needs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Thrown where a command would start, or has ended, after this process was told to end. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** As shells tell it: 130 after Ctrl-C. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Empty where it was shown. */
  readonly stderr: string;
}

export interface GroupOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Shows at once what the command complains of, instead of collecting it. Default: false. */
  readonly showsErrors?: boolean;
}

export class ProcessGroups implements Disposable {
  #running: number | undefined;
  #interrupted: Interrupted | undefined;
  readonly #end = (signal: NodeJS.Signals): void => {
    // Who asks again does not want to wait for an orderly end.
    if (this.#running !== undefined) endGroup(this.#running, this.#interrupted === undefined ? signal : "SIGKILL");
    this.#interrupted ??= new Interrupted(signal);
  };

  /** From here on the signals that end processes end commands first. */
  constructor() {
    for (const signal of endings) process.on(signal, this.#end);
  }

  /** One command at a time. Throws `Interrupted`, and what `spawn` throws where there is no such command. */
  async run(command: string, args: readonly string[], options: GroupOptions = {}): Promise<Ended> {
    this.check();
    const { showsErrors = false, cwd, env } = options;
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", showsErrors ? "inherit" : "pipe"],
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    this.#running = child.pid;
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    try {
      // Closed once no process of the group holds the output any more.
      const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      this.check();
      return { code, signal, stdout, stderr };
    } finally {
      this.#running = undefined;
    }
  }

  /** Throws `Interrupted` where this process was told to end. */
  check(): void {
    if (this.#interrupted !== undefined) throw this.#interrupted;
  }

  [Symbol.dispose](): void {
    for (const signal of endings) process.off(signal, this.#end);
  }
}

function endGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // It has ended by itself in this moment.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
