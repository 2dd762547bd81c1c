import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FromWorker } from "../protocol/messages.ts";
import { sortMessage } from "./worker-message.ts";

const id = { job: "job@1:2:3", stage: 0, task: 1, attempt: 2 };
const ref = { host: "h", file: "f", at: 0, length: 1, digest: "d" };
const output = {
  ref,
  labels: [{ label: 0, bytes: 1, records: 1 }],
  recordsIn: 1,
  recordsOut: 1,
  bytesIn: 1,
  peakRss: 1,
};
const failure = { code: "user-error", name: "Error", message: "no", retry: "here" } as const;
const good: readonly FromWorker[] = [
  { kind: "ready", pid: 1 },
  { kind: "started", ...id },
  { kind: "progress", ...id, progress: { recordsIn: 0, bytesIn: 0.5, recordsOut: 0 } },
  { kind: "message", ...id, level: "warning", text: "" },
  { kind: "damaged", url: "disco://n/ddfs/vol0/blob/aa/x$00-0-1" },
  { kind: "done", ...id, output },
  { kind: "done", ...id, output: { ...output, index: "dir://h/x", oob: [{ key: "k", file: "f", size: 0 }] } },
  { kind: "failed", ...id, failure },
  { kind: "failed", ...id, failure: { ...failure, hint: "try", location: { file: "f", line: 1, column: 1 } } },
  { kind: "failed", ...id, failure, lost: { stage: 0, task: 0, ref } },
];

test("messages of ours are good", () => {
  for (const message of good) assert.equal(sortMessage(message), "good", JSON.stringify(message));
});

test("what others send is foreign", () => {
  for (const message of [null, undefined, 7, "text", [], {}, { kind: 7 }, { kind: "toString" }, { kind: "hello" }]) {
    assert.equal(sortMessage(message), "foreign", JSON.stringify(message));
  }
});

/** Every way to replace one property, however deep, by something of another type. */
function* broken(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (name === "kind" || name === "pid") continue;
    yield { ...value, [name]: typeof part === "object" ? "text" : { not: "that" } };
    if (!Array.isArray(part)) for (const worse of broken(part)) yield { ...value, [name]: worse };
    else for (const worse of broken(part[0])) yield { ...value, [name]: [...part, worse] };
  }
}

test("a message of ours with any property of the wrong type is malformed", () => {
  let count = 0;
  for (const message of good) {
    for (const worse of broken(message)) {
      assert.equal(sortMessage(worse), "malformed", JSON.stringify(worse));
      count++;
    }
  }
  assert.ok(count > 50);
});

test("no JSON makes it throw", () => {
  const kinds = fc.constantFrom(...good.map(({ kind }) => kind));
  fc.assert(
    fc.property(fc.object(), kinds, (object, kind) => {
      assert.ok(["good", "malformed"].includes(sortMessage({ ...object, kind })));
    }),
  );
});
