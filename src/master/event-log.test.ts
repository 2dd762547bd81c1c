import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import type { JobEvent } from "../client/master-api.ts";
import { EventLogs } from "./event-log.ts";

const root = await mkdtemp(join(tmpdir(), "disco-events-"));
after(() => rm(root, { recursive: true, force: true }));

const event = (message: string): JobEvent => ({
  time: "2026-11-22T11:27:24.123Z",
  host: "master",
  task: null,
  level: "info",
  message,
});
let jobs = 0;
const newJob = (): string => `job@${jobs++}`;

async function collect(logs: EventLogs, job: string, offset: number, follow: boolean): Promise<[number, string][]> {
  const all: [number, string][] = [];
  for await (const [end, { message }] of logs.read(job, offset, { follow })) all.push([end, message]);
  return all;
}

describe("the event log of a job", () => {
  test("a reader that follows gets every event, those to come as well, and ends with the job", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    logs.begin(job);
    logs.add(job, event("one"));
    const followed = collect(logs, job, 0, true);
    await new Promise((resolve) => setImmediate(resolve));
    logs.add(job, event("two"));
    await new Promise((resolve) => setImmediate(resolve));
    logs.add(job, event("three"));
    logs.end(job);
    assert.deepEqual(
      (await followed).map(([, message]) => message),
      ["one", "two", "three"],
    );
  });

  test("reading on from any offset that was given misses nothing and repeats nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { maxLength: 20 }), async (messages) => {
        const logs = new EventLogs(root);
        const job = newJob();
        for (const message of messages) logs.add(job, event(message));
        logs.end(job);
        const all = await collect(logs, job, 0, true);
        // What is no text in UTF-8 (lone surrogates) is escaped by JSON and comes back as it was.
        assert.deepEqual(
          all.map(([, message]) => message),
          messages,
        );
        for (const [i, [offset]] of all.entries())
          assert.deepEqual(await collect(logs, job, offset, true), all.slice(i + 1));
      }),
      { numRuns: 30 },
    );
  });

  test("a reader that does not follow ends with what is there", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    logs.begin(job);
    logs.add(job, event("one"));
    assert.deepEqual((await collect(logs, job, 0, false)).length, 1);
    logs.end(job);
  });

  test("a reader that is aborted ends although the job goes on", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    logs.begin(job);
    logs.add(job, event("one"));
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const [, { message }] of logs.read(job, 0, { signal: stop.signal })) {
      seen.push(message);
      setImmediate(() => stop.abort());
    }
    assert.deepEqual(seen, ["one"]);
    logs.end(job);
  });

  test("an offset of another master's log goes back to the start of a line, or to the end, and none at all is refused", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    const texts = ["one", "x".repeat(70_000), "three"];
    for (const text of texts) logs.add(job, event(text));
    logs.end(job);
    const all = await collect(logs, job, 0, false);
    const ends = all.map(([end]) => end);
    const [first = 0, second = 0, third = 0] = ends;
    for (const [offset, from] of [
      [3, 0],
      [first - 1, 0],
      [first, 1],
      [first + 1, 1],
      [second - 1, 1],
      [second + 5, 2],
      [third, 3],
      [third + 1_000, 3],
    ] as const) {
      assert.deepEqual(await collect(logs, job, offset, false), all.slice(from), `offset ${offset}`);
    }
    await assert.rejects(collect(logs, job, -1, false), { code: "bad-offset" });
  });

  test("a line that another process has written in part is not given", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    logs.add(job, event("whole"));
    logs.end(job);
    appendFileSync(logs.file(job), '{"time":"2026');
    assert.equal((await collect(logs, job, 0, true)).length, 1);
  });

  test("a log that cannot be written fails nobody; the loss is told when writing works again", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    await rm(root, { recursive: true, force: true });
    appendFileSync(root, "a file where the directory should be");
    logs.add(job, event("lost"));
    logs.flush();
    await rm(root);
    logs.add(job, event("kept"));
    logs.end(job);
    const all = (await collect(logs, job, 0, true)).map(([, message]) => message);
    assert.deepEqual(all, ["1 events could not be written and are lost", "kept"]);
  });

  test("forgetting a job deletes its directory and ends its readers", async () => {
    const logs = new EventLogs(root);
    const job = newJob();
    logs.begin(job);
    logs.add(job, event("one"));
    logs.flush();
    const followed = collect(logs, job, 0, true);
    await new Promise((resolve) => setImmediate(resolve));
    await logs.forget(job);
    await followed;
    await assert.rejects(stat(logs.file(job)), { code: "ENOENT" });
  });
});
