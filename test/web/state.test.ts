/** What the page remembers, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JobEvent } from "../../src/client/master-api.ts";
import { slotsOf, withSlots } from "../../src/web/config-table.ts";
import { awayText, Connection } from "../../src/web/connection.ts";
import { EventWindow, keptEventsMax, shownEventsMax } from "../../src/web/event-window.ts";
import { age } from "../../src/web/format.ts";
import { filterOf, listQuery, pageQuery } from "../../src/web/job-filter.ts";
import { pauseMs } from "../../src/web/pause.ts";
import { SseParser } from "../../src/web/sse-parser.ts";

const stream = [
  ":\n\n",
  'id: 17\ndata: {"a":1}\n\n',
  "data: ö\r\ndata: second line\r\n\r\n",
  ": a heartbeat\n\nid\nretry: 3\n\n",
  "event: end\ndata: {}\n\n",
  "data: never finished\n",
].join("");

test("server-sent events are the same wherever the stream was cut", () => {
  const events = [
    { event: "message", data: '{"a":1}', id: "17" },
    { event: "message", data: "ö\nsecond line", id: null },
    { event: "end", data: "{}", id: null },
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const parser = new SseParser();
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const got = places.flatMap((from, i) => parser.push(stream.slice(from, places[i + 1] ?? stream.length)));
      assert.deepEqual(got, events);
    }),
  );
});

function event(level: JobEvent["level"], message: string): JobEvent {
  return { time: "2026-11-22T11:27:24.123Z", host: "master", task: null, level, message };
}

test("an error stays to be seen behind any number of messages, and memory has a bound", () => {
  const events = new EventWindow();
  events.add(event("error", "the one error"));
  for (let i = 0; i < 20 * keptEventsMax; i++) events.add(event("message", String(i)));
  assert.equal(events.total, 20 * keptEventsMax + 1);
  assert.deepEqual(
    events.newest("error").map(({ event: { message } }) => message),
    ["the one error"],
  );
  const newest = events.newest("debug");
  assert.equal(newest.length, shownEventsMax);
  assert.equal(newest[0]?.event.message, String(20 * keptEventsMax - 1));
});

test("events of a level come with those above it, the newest first", () => {
  const events = new EventWindow();
  for (const level of ["debug", "info", "message", "warning", "error"] as const) events.add(event(level, level));
  const shown = (level: JobEvent["level"]): string[] => events.newest(level).map(({ event: { message } }) => message);
  assert.deepEqual(shown("debug"), ["error", "warning", "message", "info", "debug"]);
  assert.deepEqual(shown("warning"), ["error", "warning"]);
});

test("the master is away while any part of the page gets no answer, and the oldest of it counts", () => {
  let now = 0;
  const connection = new Connection(() => now);
  assert.equal(connection.away(), null);
  connection.heard("jobs");
  now = 2_000;
  connection.heard("cluster");
  now = 5_000;
  connection.lost("cluster", null);
  assert.deepEqual(connection.away(), { reason: null, ageMs: 3_000 });
  connection.lost("jobs", "stopping");
  assert.deepEqual(connection.away(), { reason: null, ageMs: 5_000 });
  connection.heard("cluster");
  assert.deepEqual(connection.away(), { reason: "stopping", ageMs: 5_000 });
  connection.over("jobs");
  assert.equal(connection.away(), null);
  connection.lost("never", null);
  assert.deepEqual(connection.away(), { reason: null, ageMs: null });
});

test("what is said of a master that is away has its reason and the age of what is shown", () => {
  assert.equal(awayText({ reason: null, ageMs: null }, age), "The master does not answer, trying again.");
  assert.equal(
    awayText({ reason: null, ageMs: 12_000 }, age),
    "The master does not answer, trying again. What is shown is 12 s old.",
  );
  assert.match(awayText({ reason: "the daemon is stopping", ageMs: 1 }, age), /refuses \(the daemon is stopping\)/);
});

test("pauses grow to a limit, and differ from tab to tab", () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const ms = pauseMs(failures, random);
      assert.ok(ms >= 200 && ms <= 5_000, String(ms));
      assert.ok(pauseMs(failures + 1, random) >= ms);
    }),
  );
  assert.notEqual(pauseMs(3, 0), pauseMs(3, 1));
});

test("the filter is in the address and comes back from it; a status that is none is no filter", () => {
  const filter = { prefix: "a&b=ü", status: "dead", after: "x@1:2:3" };
  assert.deepEqual(filterOf(pageQuery(filter)), filter);
  assert.equal(pageQuery({ prefix: "", status: "", after: "" }), "");
  assert.equal(filterOf("?status=<script>").status, "");
  assert.equal(listQuery(filterOf("?status=ready")), "status=ready&limit=100&stages=true");
});

test("one row of the configuration changes, the others stay as and where they are", () => {
  const table = [["a", "1"] as const, ["b01:05", "2"] as const];
  assert.deepEqual(withSlots(table, "a", 3), [
    ["a", "3"],
    ["b01:05", "2"],
  ]);
  assert.deepEqual(withSlots(table, "c", 0), [...table, ["c", "0"]]);
  assert.deepEqual(withSlots(table, "a", null), [["b01:05", "2"]]);
  assert.deepEqual(["4", " 0 ", "-1", "1.5", "", "1e3", "100000"].map(slotsOf), [4, 0, null, null, null, null, null]);
});
