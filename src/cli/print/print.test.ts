import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiscoError, JobError } from "../../errors.ts";
import type { Look } from "../progress/look.ts";
import { codeFrame } from "./code-frame.ts";
import { formatError, reportError } from "./error-report.ts";
import { recordText } from "./record-text.ts";
import { formatTable } from "./table.ts";

const plain: Look = { unicode: false, paint: (_, text) => text };

test("a record is one line of two fields, whatever is in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (key, value) => {
      const line = recordText(key, value, "tsv");
      assert.equal(line.indexOf("\n"), line.length - 1);
      const fields = line.slice(0, -1).split("\t");
      const names: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
      assert.deepEqual(
        fields.map((field) => field.replace(/\\(.)/g, (_, name: string) => names[name] ?? "?")),
        [key, value],
      );
    }),
  );
});

test("what JSON lacks is written by its nearest relative", () => {
  const value = {
    big: 12n,
    map: new Map([["a", 1]]),
    set: new Set([1]),
    bytes: new Uint8Array([1, 2]),
    none: Number.NaN,
  };
  assert.equal(
    recordText(7n, value, "jsonl"),
    '["7",{"big":"12","map":[["a",1]],"set":[1],"bytes":[1,2],"none":null}]\n',
  );
  assert.equal(recordText(-0, null, "tsv"), "-0\tnull\n");
});

test("numbers stand below each other, and long cells are cut", () => {
  assert.deepEqual(
    formatTable(
      [
        ["a", 5],
        ["long word", 12_345],
      ],
      80,
    ),
    ["  a               5", "  long word  12,345"],
  );
  const [line = ""] = formatTable([["k", "v".repeat(500)]], 40);
  assert.equal(line.length, 40);
  assert.deepEqual(formatTable([["a\nb", { x: [1] }]], 80), ["  a\\nb  { x: [ 1 ] }"]);
});

test("a code frame marks the line and the column", () => {
  assert.equal(
    codeFrame("one\ntwo\nthree\nfour", 3, 2),
    ["  1 | one", "  2 | two", "> 3 | three", "    |  ^", "  4 | four"].join("\n"),
  );
  assert.equal(codeFrame("one", 7, 1), "");
});

test("a dead job is shown with the user's line once, and no stack", () => {
  const frame = "> 1 | boom()\n    | ^";
  const failure = {
    code: "user-error",
    name: "TypeError",
    message: "no boom",
    retry: "never",
    location: { file: "/job.ts", line: 1, column: 1 },
    frame,
  } as const;
  const error = new JobError(`job x is dead\nTypeError: no boom\n    at /job.ts:1:1\n${frame}`, { job: "x", failure });
  const text = formatError(error, plain);
  assert.equal(text.split("boom()").length, 2, text);
  assert.equal(text.split("/job.ts:1:1").length, 2, text);
  assert.match(text, /^error: job x is dead\n/);
  assert.equal(reportError(error).line, 1);
});

test("a reason that quotes the error is followed by its place, not by the error again", () => {
  const error = new JobError(
    "job x is dead: task map:0 failed: TypeError: no (twice)\nTypeError: no\n    at /job.ts:1:1",
  );
  assert.equal(
    formatError(error, plain),
    "error: job x is dead: task map:0 failed: TypeError: no (twice)\n    at /job.ts:1:1",
  );
  assert.match(reportError(error).message, /\nTypeError: no\n/, "programs get the whole message");
});

test("an error of several lines is said once, too", () => {
  const message = "map (op): it exited with code 1; its last words:\n  File one\nKeyError: 'x'\n";
  const failure = { code: "external-exit", name: "DiscoError", message, retry: "here" } as const;
  const dead = `job x is dead: task map:0 failed on h: DiscoError: ${message} (twice)`;
  const error = new JobError(`${dead}\nDiscoError: ${message}\n    while reading /a`, { job: "x", failure });
  assert.equal(formatError(error, plain), `error: ${dead}\n    while reading /a`);
});

test("a hint follows the message", () => {
  const error = new DiscoError("no such thing", { code: "unknown-job", hint: "Look elsewhere." });
  assert.equal(formatError(error, plain), "error: no such thing\nhint: Look elsewhere.");
  assert.equal(reportError("a string").message, "a string");
});
