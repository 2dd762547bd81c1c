/** Event logs, through what every master has. A server, which has the log as a file, reads from that (`event-stream.ts`). */
import { jobName, numberParameter } from "./arguments.ts";
import type { HttpRequest } from "./route.ts";
import { json, type Route, text } from "./route.ts";
import { matches, type WireEvent, wireEvent, wireLine } from "./wire-event.ts";

export const jobEventsMax = 1_000;
const jobEventsDefault = 10;

export const eventRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/disco/ctrl/rawevents",
    async handle(request, master) {
      let from = request.offset;
      const lines: string[] = [];
      for await (const [offset, event] of master.events(jobName(request), from, { follow: false })) {
        lines.push(wireLine(event, offset - from));
        from = offset;
      }
      return text(lines.join(""));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/jobevents",
    async handle(request, master) {
      const { wanted, filter } = jobEventsQuery(request);
      let events: WireEvent[] = [];
      for await (const [, event] of master.events(jobName(request), 0, { follow: false })) {
        const line = wireEvent(event);
        if (!matches(line, filter)) continue;
        events.push(line);
        if (events.length > 2 * jobEventsMax) events = events.slice(-jobEventsMax);
      }
      return json(events.slice(events.length - Math.min(wanted, events.length)).reverse());
    },
  },
];

export function jobEventsQuery(request: Pick<HttpRequest, "query" | "path">): { wanted: number; filter: string } {
  return {
    wanted: numberParameter(request, "num", jobEventsDefault, jobEventsMax),
    filter: request.query.get("filter")?.toLowerCase() ?? "",
  };
}
