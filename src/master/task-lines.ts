/** What tasks say, on its way to their job's event log, at a bearable rate. */
import type { JobEvent } from "../client/master-api.ts";
import type { Log } from "../core/commands.ts";
import type { LineFeed } from "../lines/lines.ts";
import { MessageGate } from "../protocol/message-gate.ts";
import type { AttemptId, EventLevel } from "../protocol/messages.ts";
import type { EventLogs } from "./event-log.ts";

export class TaskLines {
  readonly #logs: EventLogs;
  /** By job. */
  readonly #gates = new Map<string, MessageGate>();

  readonly #feed: LineFeed | undefined;

  /** `feed`: has the other masters hear them. */
  constructor(logs: EventLogs, feed?: LineFeed) {
    this.#logs = logs;
    this.#feed = feed;
  }

  /** `title`: as people know the task, `map:3`. `at`: ms since 1970. */
  said(host: string, title: string | null, said: AttemptId & { level: EventLevel; text: string }, at: number): void {
    let gate = this.#gates.get(said.job);
    if (gate === undefined) this.#gates.set(said.job, (gate = new MessageGate()));
    const { pass, dropped } = gate.admit(gateKey(said), at);
    if (dropped > 0) this.#dropped(host, title, said.job, at, dropped);
    if (pass) this.#add(said.job, { time: time(at), host, task: title, level: said.level, message: said.text });
  }

  ended(host: string, title: string | null, id: AttemptId, at: number): void {
    const dropped = this.#gates.get(id.job)?.end(gateKey(id)) ?? 0;
    if (dropped > 0) this.#dropped(host, title, id.job, at, dropped);
  }

  endJob(job: string): void {
    this.#gates.delete(job);
  }

  #dropped(host: string, task: string | null, job: string, at: number, count: number): void {
    const message = `${count} messages came too fast and were dropped`;
    this.#add(job, { time: time(at), host, task, level: "warning", message });
  }

  #add(job: string, event: JobEvent): void {
    this.#logs.add(job, event);
    this.#feed?.add([{ job, event }]);
  }
}

/** Writes a line that the core decided into its job's log. */
export function logLine(logs: EventLogs, { job, at, host, task, level, message, line }: Log): void {
  logs.add(job, { time: time(at), host: host ?? "master", task, level, message }, line);
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function gateKey({ stage, task, attempt }: AttemptId): string {
  return `${stage}/${task}/${attempt}`;
}
