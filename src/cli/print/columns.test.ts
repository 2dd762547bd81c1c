import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Look } from "../progress/look.ts";
import { formatColumns } from "./columns.ts";
import { formatEvent } from "./event-line.ts";
import { formatAge } from "./local-time.ts";

const plain: Look = { unicode: true, paint: (_, text) => text };
const columns = [{ title: "NAME", shrinks: true }, { title: "STATUS" }, { title: "N", align: "right" }] as const;

test("columns are as wide as their widest cell, and numbers stand to the right", () => {
  const rows = [
    ["a", "active", "5"],
    ["longer", { text: "dead", style: "red" as const }, "12"],
  ];
  assert.deepEqual(formatColumns(columns, rows, Number.POSITIVE_INFINITY, plain), [
    "NAME    STATUS   N",
    "a       active   5",
    "longer  dead    12",
  ]);
});

test("on a narrow terminal the one column that may shrink is cut, and the others stay whole", () => {
  const [, line = ""] = formatColumns(columns, [["x".repeat(50), "active", "7"]], 40, plain);
  assert.equal(line, `${"x".repeat(28)}…  active  7`);
  assert.ok(line.length <= 40);
});

test("colours change no width", () => {
  const coloured: Look = { unicode: true, paint: (_, text) => `<${text}>` };
  const [title = "", first = ""] = formatColumns(columns, [["a", { text: "ok", style: "green" }, "1"]], 80, coloured);
  assert.equal(title.replaceAll(/[<>]/g, "").length, first.replaceAll(/[<>]/g, "").length);
});

test("where nothing has to be cut, every cell is there in full", () => {
  const cell = fc.string({ unit: fc.constantFrom(..."abc") });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (rows) => {
      const lines = formatColumns(columns, rows, Number.POSITIVE_INFINITY, plain);
      assert.equal(lines.length, rows.length + 1);
      for (const [at, row] of rows.entries()) {
        assert.deepEqual(lines[at + 1]?.split(/\s+/).filter(Boolean), row.filter(Boolean));
      }
    }),
  );
});

test("an age is one unit", () => {
  const ages = [0, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 10 * 86_400_000, -5].map(formatAge);
  assert.deepEqual(ages, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "1 d", "10 d", "0 s"]);
});

test("an event says once how bad it is", () => {
  const event = { time: "", host: "master", task: null, level: "warning", message: "slow" } as const;
  const shown = (level: "warning" | "error" | "info", message: string): string =>
    formatEvent({ ...event, level, message }, plain).replace(/^.*master /, "");
  assert.equal(shown("warning", "WARNING: [map:4] lost on a"), "WARNING: [map:4] lost on a");
  assert.equal(shown("warning", "WARN: Job killed"), "WARN: Job killed");
  assert.equal(shown("error", "ERROR: Job is dead"), "ERROR: Job is dead");
  assert.equal(shown("error", "FATAL: [map:4] no"), "FATAL: [map:4] no");
  assert.equal(shown("error", "no ERROR: here"), "ERROR: no ERROR: here");
  assert.equal(shown("info", "slow"), "slow");
});

test("an event is shown on the reader's clock, with its task where the message does not name it", () => {
  const at = new Date(2026, 10, 23, 4, 5, 6, 7);
  const event = { time: at.toISOString(), host: "node1", task: "map:3", level: "warning", message: "slow" } as const;
  assert.equal(formatEvent(event, plain), "2026-11-23 04:05:06.007 node1 [map:3] WARNING: slow");
  const named = { ...event, level: "info", message: "map:3 assigned to node1" } as const;
  assert.equal(formatEvent(named, plain), "2026-11-23 04:05:06.007 node1 map:3 assigned to node1");
});
