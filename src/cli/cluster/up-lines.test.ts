import assert from "node:assert/strict";
import { test } from "node:test";
import type { Look } from "../progress/look.ts";
import { shownLine } from "./up-lines.ts";

const plain: Look = { unicode: true, paint: (_, text) => text };
const line = (level: string, msg: string): string => JSON.stringify({ level, time: "2026-11-23T13:00:00.000Z", msg });

test("people read why a process ended once, in words, and not its stack as well", () => {
  assert.equal(shownLine("master1", line("fatal", "failed"), "info", plain), null);
  assert.match(shownLine("master1", line("fatal", "cannot go on"), "info", plain) ?? "", /cannot go on/);
  assert.equal(shownLine("master1", "error: port 1 is in use", "info", plain), "master1 | error: port 1 is in use");
  assert.match(shownLine("master1", line("fatal", "failed"), "info", null) ?? "", /"failed"/);
});

test("a line below the wanted level is not shown", () => {
  assert.equal(shownLine("node1", line("info", "joined"), "warn", plain), null);
  assert.equal(shownLine("nats", "[1] [INF] ready", "info", plain), null);
  assert.match(shownLine("nats", "[1] [ERR] no room", "info", plain) ?? "", /no room/);
});
