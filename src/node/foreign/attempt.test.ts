import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { TaskBody, WorkerMessage } from "../../protocol/worker-protocol/messages.ts";
import { type AttemptEnd, ForeignAttempt } from "./attempt.ts";
import type { AttemptLimits } from "./limits.ts";
import { ForeignSession, type SessionStep } from "./session.ts";

const directory = mkdtempSync(join(tmpdir(), "disco-attempt-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const task: TaskBody = {
  taskid: 0,
  master: "http://127.0.0.1:1",
  disco_port: 1,
  put_port: 1,
  ddfs_data: "/d",
  disco_data: "/e",
  stage: "map",
  grouping: "split",
  group: [0, ""],
  jobfile: "/j",
  jobname: "job@1",
  host: "a",
};

/** Counts what it is asked. */
class CountingSession extends ForeignSession {
  received = 0;

  override receive(message: WorkerMessage): SessionStep {
    this.received++;
    return super.receive(message);
  }
}

const announcement = '{"pid": 1, "version": "1.1"}';
const announced = `WORKER ${announcement.length} ${announcement}\n`;
let scripts = 0;

interface Ran {
  readonly end: AttemptEnd;
  readonly received: number;
}

function script(lines: string): string {
  const file = join(directory, `worker-${++scripts}`);
  writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return file;
}

async function run(
  file: string,
  more: { inputs?: number; limits?: Partial<AttemptLimits>; memoryLimitBytes?: number } = {},
): Promise<Ran> {
  const inputs = Array.from({ length: more.inputs ?? 0 }, (_, i) => ({ label: 0, replicas: [`http://input/${i}`] }));
  const session = new CountingSession({ task, inputs, complete: true });
  const hold = setInterval(() => undefined, 1_000);
  try {
    const end = await new Promise<AttemptEnd>((resolve) => {
      new ForeignAttempt({
        command: { file, cwd: directory, env: process.env },
        session,
        memoryLimitBytes: more.memoryLimitBytes ?? 2 ** 40,
        limits: more.limits,
        said: () => undefined,
        isLost: () => Promise.resolve(false),
        ended: resolve,
      });
    });
    return { end, received: session.received };
  } finally {
    clearInterval(hold);
  }
}

function failureOf({ end }: Ran): string {
  return end.kind === "failed" ? end.failure.code : JSON.stringify(end);
}

describe("an attempt", () => {
  test("answers a worker that asks for all inputs again and again no faster than it reads", async () => {
    const questions = 600;
    writeFileSync(join(directory, "questions"), `${announced}${`INPUT 2 ""\n`.repeat(questions)}`);
    const limits = { unreadBytesMax: 64 * 1_024, unreadMs: 60 };
    // Each answer has 100 KB: all of them, 60 MB.
    const deaf = await run(script("cat questions >&2; sleep 60"), { inputs: 3_000, limits });
    assert.equal(failureOf(deaf), "worker-timeout");
    assert.ok(deaf.received < 50, `${deaf.received} questions were answered`);
    const patient = script(`cat questions >&2; i=0
      while [ $i -le ${questions} ]; do read -r answer; i=$((i+1)); done; printf 'DONE 2 ""\\n' >&2; sleep 60`);
    const { end, received } = await run(patient, { inputs: 20, limits: { unreadBytesMax: 4_096 } });
    assert.equal(end.kind === "session" && end.end.kind, "done");
    assert.equal(received, questions + 2);
  });

  test("goes by the last word of a worker that has not read its answers", async () => {
    writeFileSync(join(directory, "last"), `${announced}${`INPUT 2 ""\n`.repeat(20)}ERROR 5 "bad"\n`);
    const { end } = await run(script("cat last >&2"), { inputs: 5_000, limits: { unreadBytesMax: 1_024 } });
    assert.deepEqual(end.kind === "session" && end.end, { kind: "error", text: "bad" });
  });

  test("fails by a message that is nested more deeply than a stack, and nothing else does", async () => {
    const body = "[".repeat(200_000) + "]".repeat(200_000);
    writeFileSync(join(directory, "nested"), `${announced}MSG ${body.length} ${body}\n`);
    const { end } = await run(script("cat nested >&2; sleep 60"));
    assert.equal(end.kind === "session" && end.end.kind, "violation");
  });

  test("watches the memory of a program that could be started at the second try only", {
    skip: process.platform !== "linux" && "needs /proc",
  }, async () => {
    const file = script(`printf '%s' '${announced}' >&2; { head -c 60000000 /dev/zero; sleep 1; } | tail`);
    // A program that is open for writing is not run.
    const writer = openSync(file, "r+");
    setTimeout(() => closeSync(writer), 60);
    const ran = await run(file, { memoryLimitBytes: 30_000_000, limits: { memoryMs: 5 } });
    assert.equal(failureOf(ran), "out-of-memory");
  });
});
