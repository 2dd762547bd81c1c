/**
 * Disco's form of an event is `["2026/11/22 11:27:24","HOST","message"]`; clients read on from the byte behind the last line they
 * got. Our log holds more than that (`event-log.ts`), so each line is translated and filled up with spaces, which JSON allows, to
 * the length it has in our file: offsets are then the same in both.
 */
import type { JobEvent } from "../../client/master-api.ts";
import { wireTime } from "../../protocol/wire-time.ts";

export type WireEvent = readonly [time: string, host: string, message: string];

export function wireEvent({ time, host, task, level, message }: JobEvent): WireEvent {
  const words = level === "message" && task !== null ? `MSG: [${task}] ${message}` : message;
  return [wireTime(time), host, words];
}

/** A line of so many bytes, its end included. A line of our log is always longer than what it becomes. */
export function wireLine(event: JobEvent, bytes: number): string {
  const line = JSON.stringify(wireEvent(event));
  return `${line}${" ".repeat(Math.max(0, bytes - 1 - Buffer.byteLength(line)))}\n`;
}

/** Whether the event is among those that were asked for: `filter` in lower case, found anywhere in the message. */
export function matches([, , message]: WireEvent, filter: string): boolean {
  return filter === "" || message.toLowerCase().includes(filter);
}
