import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type WorkerEnd } from "./verdict.ts";

const context = { memoryLimitBytes: 512 * 1024 * 1024, timedOutAfterMs: null };
const end = (change: Partial<WorkerEnd>): WorkerEnd => ({
  code: null,
  signal: null,
  stderr: "",
  error: null,
  ...change,
});

for (const [title, what, code] of [
  ["an exit without an error", end({ code: 0 }), "worker-exit"],
  ["a crash", end({ signal: "SIGSEGV" }), "worker-signal"],
  ["an abort", end({ signal: "SIGABRT" }), "worker-signal"],
  [
    "V8 out of memory",
    end({ signal: "SIGABRT", stderr: "FATAL ERROR: … JavaScript heap out of memory" }),
    "out-of-memory",
  ],
  [
    "V8 out of memory, as a shell tells it",
    end({ code: 134, stderr: "JavaScript heap out of memory" }),
    "out-of-memory",
  ],
  [
    "the watch's out of memory",
    end({ signal: "SIGKILL", stderr: "x\ndisco: out of memory: 9 bytes over the limit of 8\n" }),
    "out-of-memory",
  ],
  ["a process that could not be started", end({ error: new Error("spawn EAGAIN") }), "worker-start"],
] as const) {
  test(`${title} is ${code}`, () => {
    const verdict = judge(what, context);
    assert.equal(verdict.kind === "failed" && verdict.failure.code, code);
  });
}

test("user code that prints the words of an out-of-memory report and exits did not run out of memory", () => {
  const verdict = judge(end({ code: 1, stderr: "caught: JavaScript heap out of memory" }), context);
  assert.equal(verdict.kind === "failed" && verdict.failure.code, "worker-exit");
});

test("signals that somebody sends mean lost", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const)
    assert.equal(judge(end({ signal }), context).kind, "lost");
});

test("our own kill after a time-out is a time-out, whatever the signal", () => {
  const verdict = judge(end({ signal: "SIGTERM" }), { ...context, timedOutAfterMs: 1_500 });
  assert.ok(verdict.kind === "failed");
  assert.equal(verdict.failure.code, "timeout");
  assert.match(verdict.failure.message, /1.5 s/);
});
