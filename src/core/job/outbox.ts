/** Commands of a job, gathered while it handles an event. */
import type { EventLevel } from "../../protocol/messages.ts";
import type { Command, Log } from "../commands.ts";

export class Outbox {
  readonly #job: string;
  #commands: Command[] = [];
  /** Lines of the job's log so far: the number of the next one. */
  lines = 0;

  constructor(job: string) {
    this.#job = job;
  }

  push(command: Command): void {
    this.#commands.push(command);
  }

  /** A line of the job's log, from the master, about the job as a whole. */
  log(at: number, message: string, level: EventLevel = "info"): void {
    this.#commands.push(this.line(at, message, level, null, null));
  }

  /** A line about a task, from the master (`host: null`) or the node that ran it. */
  note(at: number, task: string, message: string, level: EventLevel, host: string | null = null): void {
    this.#commands.push(this.line(at, message, level, host, task));
  }

  line(at: number, message: string, level: EventLevel, host: string | null, task: string | null): Log {
    return { kind: "log", job: this.#job, line: this.lines++, at, level, host, task, message };
  }

  cancel(host: string, stage: number, task: number, attempt: number, reason: string): void {
    this.#commands.push({ kind: "cancel", host, id: { job: this.#job, stage, task, attempt }, reason });
  }

  /** The commands so far; it is empty afterwards. */
  take(): Command[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
