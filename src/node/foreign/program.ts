/**
 * One program that a job brought along, from its start to its end: bytes in, bytes out, signals. It knows nothing of the protocol.
 *
 * It leads a process group of its own, and the group is killed whenever the program ends, however it ends. Its stdout and its stderr
 * both are read: Disco makes one stream of them, and workers may use either.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";

export interface ProgramCommand {
  /** Absolute path of the executable. */
  readonly file: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error: string | null;
}

export interface ProgramEvents {
  /** Once, perhaps while it is being made, perhaps later; not if it cannot be started. */
  started(pid: number): void;
  /** Of the stream 1 or 2; `bytes` are the callee's to keep. */
  bytes(stream: 1 | 2, bytes: Buffer): void;
  /** A write is through, or came to nothing. */
  drained(): void;
  /** Once, and the last. */
  ended(end: ProgramEnd): void;
}

/** The lowest priority that there is, as in Disco: the node, and whoever sits at the machine, come first. */
const niceness = 19;
/** After the exit, what still lies in the pipes is read for at most so long: one that left the group may hold them open. */
const drainMs = 1_000;
/** A file that was just written may still be open for writing in a child that another thread of ours forks at this moment. */
const busyStartsMax = 20;
const busyDelayMs = 25;

export class ForeignProgram {
  readonly #command: ProgramCommand;
  readonly #events: ProgramEvents;
  #child: ChildProcessByStdio<Writable, Readable, Readable> | null = null;
  #ended = false;
  #killed = false;
  #paused = false;
  #starts = 0;

  constructor(command: ProgramCommand, events: ProgramEvents) {
    this.#command = command;
    this.#events = events;
    this.#start();
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Bytes that were written and that it has not read. */
  get unreadBytes(): number {
    const stdin = this.#child?.stdin;
    // One that closed its end reads nothing any more, and nothing is kept for it.
    return stdin === undefined || stdin.destroyed ? 0 : stdin.writableLength;
  }

  /** Nobody reads what is written any more. */
  get isDeaf(): boolean {
    return this.#ended || this.#child?.stdin.writable !== true;
  }

  write(bytes: Uint8Array): void {
    const stdin = this.#child?.stdin;
    if (this.#ended || stdin === undefined || !stdin.writable) return;
    // Not "drain", which does not come for what fits in.
    stdin.write(bytes, () => this.#events.drained());
  }

  /** Nothing is read until `resume`. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#child?.stdout.pause();
    this.#child?.stderr.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#child?.stdout.resume();
    this.#child?.stderr.resume();
  }

  /** To the whole group. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#killed = true;
    const pid = this.#child?.pid;
    if (pid === undefined || this.#ended) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // No such group: all of it is gone already.
    }
  }

  #start(): void {
    this.#starts++;
    const { file, cwd, env } = this.#command;
    let child: ChildProcessByStdio<Writable, Readable, Readable>;
    try {
      child = spawn(file, [], {
        cwd,
        env: env as NodeJS.ProcessEnv,
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
    } catch (error) {
      setImmediate(() => this.#failed(error as NodeJS.ErrnoException));
      return;
    }
    if (child.pid === undefined) {
      child.on("error", (error) => this.#failed(error));
      return;
    }
    this.#child = child;
    lowerPriority(child.pid);
    this.#events.started(child.pid);
    // When it closes its stdin, what was written is gone as well.
    child.stdin.on("error", () => this.#events.drained());
    child.on("error", () => undefined);
    child.on("exit", (code, signal) => this.#exited(child, code, signal));
    for (const [stream, readable] of [
      [1, child.stdout],
      [2, child.stderr],
    ] as const) {
      readable.on("data", (bytes: Buffer) => this.#events.bytes(stream, bytes));
      readable.on("error", () => undefined);
    }
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#killed) this.#end({ code: null, signal: null, error: null });
    else if (error.code === "ETXTBSY" && this.#starts < busyStartsMax) {
      setTimeout(() => (this.#killed ? this.#failed(error) : this.#start()), busyDelayMs);
    } else this.#end({ code: null, signal: null, error: startProblem(this.#command.file, error) });
  }

  #exited(
    child: ChildProcessByStdio<Writable, Readable, Readable>,
    code: number | null,
    signal: NodeJS.Signals | null,
  ): void {
    // What it started dies with it. The group outlives its leader, so its id is still ours.
    this.kill("SIGKILL");
    this.resume();
    const finish = (): void => {
      clearTimeout(timer);
      child.off("close", finish);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      this.#end({ code, signal, error: null });
    };
    // "close" comes when the pipes are empty: the last messages are in then.
    const timer = setTimeout(finish, drainMs);
    child.on("close", finish);
  }

  #end(end: ProgramEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.ended(end);
  }
}

/** What is wrong with an executable that could not be started, and what to do. */
function startProblem(file: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return existsSync(file)
        ? `${file} cannot be run: the interpreter that its first line names does not exist on this node`
        : `${file} does not exist: is it among the files of the job pack?`;
    case "EACCES":
      return `${file} cannot be run: it is not executable, or it is a folder`;
    default:
      return `${file} cannot be run: ${error.message}`;
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already.
  }
}
