/** Event logs. */
import type { JobEvent } from "../../../client/master-api.ts";
import { followEvents } from "../../../protocol/api/events.ts";
import { serve } from "./call.ts";
import { type StreamItem, sendEvents, sendLines } from "./streamed.ts";

export const eventOperations = [
  serve(followEvents, async ({ master, params, query, headers, request, response, signal, options }) => {
    const lastSeen = headers["last-event-id"];
    const offset = lastSeen === undefined ? query.offset : Number(lastSeen);
    const events = master.events(params.name, offset, { follow: query.follow, signal });
    if (/\btext\/event-stream\b/i.test(request.headers.accept ?? "")) {
      await sendEvents(response, eventItems(events), { signal, heartbeatMs: options.heartbeatMs });
    } else {
      await sendLines(response, lineItems(events), { signal });
    }
  }),
];

async function* eventItems(events: AsyncIterable<[number, JobEvent]>): AsyncGenerator<StreamItem> {
  for await (const [id, data] of events) yield { id, data };
}

async function* lineItems(events: AsyncIterable<[number, JobEvent]>): AsyncGenerator<StreamItem> {
  for await (const data of events) yield { data };
}
