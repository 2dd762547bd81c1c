/**
 * Event logs. Disco's form of an event is `["2026/11/22 11:27:24","HOST","message"]`; clients read on from the byte behind the
 * last line they got. Our log holds more than that (`event-log.ts`), so each line is translated and filled up with spaces,
 * which JSON allows, to the length it has in our file: offsets are then the same in both.
 */
import type { JobEvent } from "../../client/master-api.ts";
import { numberParameter, queryParameter } from "./arguments.ts";
import { json, type Route, text } from "./route.ts";
import { wireTime } from "./wire-time.ts";

const jobEventsMax = 1_000;
const jobEventsDefault = 100;

export const eventRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/disco/ctrl/rawevents",
    async handle(request, master) {
      let from = request.offset;
      const lines: string[] = [];
      for await (const [offset, event] of master.events(queryParameter(request, "name"), from, { follow: false })) {
        lines.push(filledTo(JSON.stringify(wireEvent(event)), offset - from - 1));
        from = offset;
      }
      return text(lines.join(""));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/jobevents",
    async handle(request, master) {
      const wanted = numberParameter(request, "num", jobEventsDefault, jobEventsMax);
      const filter = request.query.get("filter")?.toLowerCase() ?? "";
      let events: unknown[] = [];
      for await (const [, event] of master.events(queryParameter(request, "name"), 0, { follow: false })) {
        const line = wireEvent(event);
        if (filter !== "" && !line[2].toLowerCase().includes(filter)) continue;
        events.push(line);
        if (events.length > 2 * jobEventsMax) events = events.slice(-jobEventsMax);
      }
      return json(events.slice(events.length - Math.min(wanted, events.length)).reverse());
    },
  },
];

function wireEvent({ time, host, task, level, message }: JobEvent): [string, string, string] {
  const words = level === "message" && task !== null ? `MSG: [${task}] ${message}` : message;
  return [wireTime(time), host, words];
}

function filledTo(line: string, bytes: number): string {
  return `${line}${" ".repeat(Math.max(0, bytes - Buffer.byteLength(line)))}\n`;
}
