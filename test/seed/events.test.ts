/** The seed's `events`, `status_interval`, and `wait(show)`. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type JobEvent, nopReduce } from "disco-mapreduce";
import { openBench } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

type Numbered = [offset: number, event: JobEvent];
const chatty = (line: string): [string, number][] => {
  console.log(`saw ${line}`);
  return [[line, 1]];
};
const lines = (n: number): string => Array.from({ length: n }, (_, i) => `l${i}`).join("\n");

async function all(events: AsyncIterable<Numbered>): Promise<Numbered[]> {
  return Array.fromAsync(events);
}

describe("events", { timeout: 60_000 }, () => {
  it("tell the story of the job in order of time, with what its functions print", async () => {
    const file = await bench.file("few.txt", lines(3));
    const job = await disco.newJob("story", { input: [file], map: chatty, reduce: nopReduce, partitions: 2 });
    await job.wait();
    const events = await all(job.events());
    const messages = events.map(([, { message }]) => message);
    for (const text of [/New job initialized/, /Created job "story@/, /saw l0/, /saw l2/, /DONE: \[map:0\]/, /READY/]) {
      assert.ok(
        messages.some((message) => text.test(message)),
        `${text} in\n${messages.join("\n")}`,
      );
    }
    const times = events.map(([, { time }]) => Date.parse(time));
    assert.ok(times.every((time) => Number.isFinite(time)));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    const printed = events.find(([, { message }]) => /saw l1/.test(message))?.[1];
    assert.equal(printed?.task, "map:0");
    assert.equal(printed.host, "localhost");
  });

  it("resumed from each offset miss and repeat nothing", async () => {
    const file = await bench.file("some.txt", lines(5));
    const job = await disco.newJob("resumed", { input: [file], map: chatty });
    await job.wait();
    const events = await all(job.events());
    assert.ok(events.length > 10);
    for (const [i, [offset]] of events.entries()) {
      assert.deepEqual(await all(disco.events(job.name, offset)), events.slice(i + 1));
    }
  });

  it("resumed again and again while the job runs miss and repeat nothing either", async () => {
    const file = await bench.file("many.txt", lines(150));
    const job = await disco.newJob("followed", {
      input: [file, file],
      map: async (line) => {
        console.log(`saw ${line}`);
        await new Promise((resolve) => setImmediate(resolve));
        return [[line, 1]];
      },
      concurrency: 1,
    });
    const pieces: Numbered[] = [];
    let offset = 0;
    for (let n = 1, ended = false; !ended; n = (n % 7) + 1) {
      ended = true;
      let taken = 0;
      for await (const event of job.events(offset)) {
        pieces.push(event);
        offset = event[0];
        ended = false;
        if (++taken === n) break;
      }
    }
    assert.equal((await job.jobinfo()).status, "ready");
    assert.deepEqual(pieces, await all(job.events()));
  });

  it("without following are what has happened so far", async () => {
    const job = await disco.newJob("snapshot", {
      input: ["raw://x"],
      map(): [string, number][] {
        for (;;);
      },
    });
    const events = await all(job.events(0, { follow: false }));
    assert.match(events[0]?.[1].message ?? "", /New job/);
    const stop = AbortSignal.abort();
    assert.ok((await all(job.events(0, { signal: stop }))).length >= 0, "a stopped follower ends");
    await job.kill();
  });

  it("from an offset that cannot be are refused", async () => {
    await assert.rejects(disco.events("a@1:2:3", -1).next(), { code: "bad-option" });
    await assert.rejects(disco.events("a@1:2:3", 0.5).next(), { code: "bad-option" });
  });
});

describe("statusInterval", { timeout: 60_000 }, () => {
  const statuses = async (statusInterval?: number): Promise<string[]> => {
    const file = await bench.file("ten.txt", lines(10));
    const job = await disco.newJob("status", {
      input: [file],
      map: (line: string): [string, number][] => [[line, 1]],
      ...(statusInterval === undefined ? {} : { statusInterval }),
    });
    await job.wait();
    const messages = (await all(job.events())).map(([, { message }]) => message);
    return messages
      .filter((message) => /mapped/.test(message))
      .map((message) => /\d+ \w+ mapped/.exec(message)?.[0] ?? message);
  };

  it("prints K items mapped for every Nth item", async () => {
    assert.deepEqual((await statuses(4)).slice(0, 2), ["4 items mapped", "8 items mapped"]);
  });

  it("of 0 disables the messages", async () => {
    assert.deepEqual(await statuses(0), []);
  });
});

describe("wait with show", { timeout: 60_000 }, () => {
  it("prints the events to stderr while it waits, and DISCO_EVENTS is its default", async (t) => {
    const written: string[] = [];
    t.mock.method(process.stderr, "write", (text: string) => {
      written.push(text);
      return true;
    });
    const job = await disco.newJob("shown", { input: ["raw://x"], map: chatty });
    await job.wait({ show: "json" });
    const events = written
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { message: string });
    assert.match(events.map(({ message }) => message).join("\n"), /saw x[^]*READY/);
    written.length = 0;
    process.env["DISCO_EVENTS"] = "nocolor";
    try {
      await job.wait();
      assert.match(written.join(""), /localhost map:0 .*saw x/);
      written.length = 0;
      await job.wait({ show: false });
      assert.deepEqual(written, []);
    } finally {
      delete process.env["DISCO_EVENTS"];
    }
  });
});
