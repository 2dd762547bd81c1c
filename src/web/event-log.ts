/** The event log of a job, live. Events come in bursts: they are put on the page once a frame. */
import type { JobEvent } from "../client/master-api.ts";
import { follow, jobPath, streamError } from "./api.ts";
import { byId, element, setText } from "./dom.ts";
import { type EventLevel, EventWindow, type KeptEvent, shownEventsMax } from "./event-window.ts";
import { clock, count, counted, moment } from "./format.ts";
import { KeyedList } from "./keyed-list.ts";
import { Live, StreamCut } from "./live.ts";

const level = byId("event-level", HTMLSelectElement);
const shown = byId("events-shown", HTMLSpanElement);
const kept = new EventWindow();
const lines = new KeyedList<KeptEvent>(byId("events", HTMLOListElement), ({ number }) => String(number), eventLine);
let isDrawing = false;

export function followEventLog(job: string): Live {
  let lastEventId: string | null = null;
  level.addEventListener("input", draw);
  byId("event-filter", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  return new Live({
    source: "events",
    round: async ({ signal, alive }) => {
      for await (const { event, data, id } of follow(jobPath(job, "/events"), { signal, lastEventId, alive })) {
        if (event === "end") return null;
        if (event === "error") throw streamError(data);
        kept.add(JSON.parse(data) as JobEvent);
        lastEventId = id ?? lastEventId;
        drawSoon();
      }
      throw new StreamCut();
    },
    refused: ({ code, message }) => {
      // `unknown-job` is said by the page itself.
      if (code !== "unknown-job") setText(shown, message);
    },
  });
}

function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
  });
}

function draw(): void {
  const events = kept.newest(level.value as EventLevel);
  lines.show(events);
  const some = events.length === shownEventsMax ? `the newest ${count(shownEventsMax)} of ` : "";
  setText(
    shown,
    `${some}${level.value === "debug" ? "" : `${count(events.length)} shown, `}${counted(kept.total, "event")}`,
  );
}

function eventLine({ event: { time, host, task, level: name, message } }: KeptEvent) {
  const at = Date.parse(time);
  const node = element(
    "li",
    { class: `level-${name}` },
    element("time", { datetime: time, title: moment(at) }, clock(at)),
    element("span", { class: "host" }, host),
    // The master's own texts name it already.
    task === null || message.includes(`[${task}]`) || message.startsWith(`${task} `)
      ? null
      : element("span", { class: "host" }, task),
    element("span", { class: "text" }, message),
  );
  // An event never changes.
  return { node, update: () => undefined };
}
