/**
 * One worker process, from fork to its end. It knows about messages and signals, nothing about tasks.
 *
 * The process leads a group of its own, so that what it starts can be ended with it: whenever it ends, however it ends, its
 * group is killed. It never holds our process alive: its channel and pipes are unreferenced; who waits for a job does.
 *
 *   starting ──"ready"──▶ ready ──exit──▶ ended          (starting ──exit, error, no sign for 30 s──▶ ended)
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { DiscoError } from "../errors.ts";
import type { FromWorker, ToWorker } from "../protocol/messages.ts";
import { guardChannel } from "./channel-guard.ts";
import { OutputRing } from "./output-ring.ts";
import type { WorkerEnd } from "./verdict.ts";
import type { WorkerCommand } from "./worker-command.ts";
import type { WorkerEvents, WorkerHandle } from "./worker-handle.ts";
import { sortMessage } from "./worker-message.ts";

/** A process that has not said "ready" after this long hangs. Generous: machines may be very busy. */
const startPatienceMs = 60_000;
/** Between SIGTERM and SIGKILL. */
export const killGraceMs = 5_000;
/** After the exit, what still lies in the pipes is read for at most so long. */
const drainMs = 250;

export class WorkerProcess implements WorkerHandle {
  readonly command: WorkerCommand;
  #state: "starting" | "ready" | "ended" = "starting";
  readonly #events: WorkerEvents;
  readonly #stderr = new OutputRing();
  readonly #stdout = new OutputRing();
  #child: ChildProcess | null = null;
  /** Why we killed it for what it sent. */
  #garbage: DiscoError | null = null;
  #startTimer: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(command: WorkerCommand, events: WorkerEvents) {
    this.command = command;
    this.#events = events;
    try {
      this.#child = this.#fork();
    } catch (error) {
      // In a later turn, as every other end: the caller does not have the object yet.
      setImmediate(() => this.#end({ code: null, signal: null, stderr: "", error: toError(error) }));
    }
  }

  get state(): "starting" | "ready" | "ended" {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get droppedOutputBytes(): number {
    return this.#stdout.dropped + this.#stderr.dropped;
  }

  send(message: ToWorker): void {
    if (this.#state === "ended" || this.#child?.connected !== true) return;
    this.#child.send(message, () => undefined);
  }

  kill(graceMs: number = killGraceMs): void {
    if (this.#state === "ended") return;
    clearTimeout(this.#killTimer);
    if (graceMs <= 0) {
      this.#signal("SIGKILL");
      return;
    }
    this.#signal("SIGTERM");
    this.#killTimer = setTimeout(() => this.#signal("SIGKILL"), graceMs);
    this.#killTimer.unref();
  }

  #fork(): ChildProcess {
    const { script, args, execPath, execArgv, env } = this.command;
    const child = fork(script, [...args], {
      execPath,
      execArgv: [...execArgv],
      env: env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    guardChannel(child, (reason) => this.#refuse(reason));
    child.on("message", (message: FromWorker) => this.#receive(message));
    child.on("error", (error) => {
      // Also emitted when a message could not be sent or a signal failed: only a process that never was ends here.
      if (child.pid === undefined) this.#end({ code: null, signal: null, stderr: "", error });
    });
    child.on("exit", (code, signal) => this.#exited(child, code, signal));
    child.stdout?.on("data", (chunk: Uint8Array) => this.#stdout.push(chunk));
    child.stderr?.on("data", (chunk: Uint8Array) => this.#stderr.push(chunk));
    child.unref();
    child.channel?.unref();
    (child.stdout as Socket | null)?.unref();
    (child.stderr as Socket | null)?.unref();
    this.#startTimer = setTimeout(() => this.kill(0), startPatienceMs);
    this.#startTimer.unref();
    return child;
  }

  #receive(message: FromWorker): void {
    if (this.#state === "ended" || this.#garbage !== null) return;
    const sort = sortMessage(message);
    if (sort === "foreign") return;
    if (sort === "malformed") {
      this.#refuse(`a malformed "${message.kind}"`);
      return;
    }
    if (message.kind !== "ready") {
      this.#events.message(message);
      return;
    }
    if (this.#state !== "starting") return;
    clearTimeout(this.#startTimer);
    this.#state = "ready";
    this.#events.ready();
  }

  /** What it sends is no message: it cannot be trusted with a task any more. */
  #refuse(reason: string): void {
    this.#garbage = new DiscoError(`the worker process sent what is no message: ${reason}`, {
      code: "worker-garbage",
      retry: "here",
      hint: "Does the job's code, or a native add-on of it, call process.send or write to file descriptors that are not its own?",
    });
    this.kill(0);
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    // What it started dies with it. The group outlives its leader, so its id is still ours.
    this.#signal("SIGKILL");
    const finish = (): void => {
      clearTimeout(timer);
      child.off("close", finish);
      this.#end({ code, signal, stderr: this.#stderr.tail(), error: this.#garbage });
    };
    // "close" comes when the pipes are empty: the last words, and the last messages, are in then.
    const timer = setTimeout(finish, drainMs);
    child.on("close", finish);
  }

  #end(end: WorkerEnd): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#startTimer);
    clearTimeout(this.#killTimer);
    const child = this.#child;
    if (child?.connected === true) child.disconnect();
    child?.stdout?.destroy();
    child?.stderr?.destroy();
    this.#events.ended(end);
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // No such group: all of it is gone already.
    }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
