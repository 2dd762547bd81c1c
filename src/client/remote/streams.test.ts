import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import type { JobEvent } from "../master-api.ts";
import { failed, hangUp, ScriptedServer } from "./scripted-server.test-kit.ts";
import { ServerEventParser } from "./server-events.ts";

const all = ["Grüße, 世界 🎉", "zwei", "drei", "vier"].map(
  (message, i): JobEvent => ({
    time: "2026-11-22T11:27:24.123Z",
    host: "h",
    task: i > 1 ? "map:0" : null,
    level: "info",
    message,
  }),
);
const path = "GET /api/v1/jobs/a/events";

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

/** The offset behind event `i` is 10 (i + 1). */
function text(from: number, to: number): string {
  return all
    .slice(from, to)
    .map((event, i) => `id: ${10 * (from + i + 1)}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}

const end = "event: end\ndata: {}\n\n";

function offsetIn(url: string): number {
  return Number(new URL(url, "http://x").searchParams.get("offset"));
}

async function collect(events: AsyncIterable<[number, JobEvent]>): Promise<[number, string][]> {
  const seen: [number, string][] = [];
  for await (const [offset, { message }] of events) seen.push([offset, message]);
  return seen;
}

describe("the events of a job at a master elsewhere", () => {
  const expected = all.map(({ message }, i) => [10 * (i + 1), message]);

  it("go on where they were when the stream is cut, in the middle of an event and of a character, and end with the job", async () => {
    await using server = await new ScriptedServer({
      [path]: ({ path: url }, response, nth) => {
        const from = offsetIn(url) / 10;
        begin(response);
        const bytes = Buffer.from(text(from, all.length));
        if (nth === 0) {
          // In the middle of the first "ü", which then never comes.
          response.write(bytes.subarray(0, bytes.indexOf(0xbc)), () => hangUp(response));
        } else if (nth === 1) {
          const inside = Buffer.byteLength(text(0, 2)) + 20;
          response.write(bytes.subarray(0, 70), () =>
            response.write(bytes.subarray(70, inside), () => hangUp(response)),
          );
        } else if (nth === 2) {
          // Ended as if all were told, but without saying so: a master that stops.
          response.end(text(from, 3));
        } else response.end(text(from, all.length) + end);
      },
    }).listen();
    const master = await server.connect();
    assert.deepEqual(await collect(master.events("a", 0)), expected);
    assert.deepEqual(
      server.asked.filter((asked) => asked.path.includes("events")).map((asked) => offsetIn(asked.path)),
      [0, 0, 20, 30],
    );
    assert.deepEqual(await collect(master.events("a", 20)), expected.slice(2));
  });

  it("survive a restart of the master", async () => {
    await using server = await new ScriptedServer({
      [path]: ({ path: url }, response, nth) => {
        const from = offsetIn(url) / 10;
        begin(response);
        if (nth === 0) response.write(`:\n\n${text(0, 2)}`);
        else response.end(text(from, all.length) + end);
      },
    }).listen();
    const master = await server.connect();
    const seen: number[] = [];
    for await (const [offset] of master.events("a", 0)) {
      seen.push(offset);
      if (offset !== 20) continue;
      await server.kill();
      setImmediate(() => void server.listen());
    }
    assert.deepEqual(seen, [10, 20, 30, 40]);
  });

  it("are refused with the master's reason, also when it comes in the stream", async () => {
    await using server = await new ScriptedServer({
      [path]: (_, response) => failed(response, 404, { code: "unknown-job", message: "there is no job a" }),
      "GET /api/v1/jobs/b/events": (_, response) => {
        begin(response);
        const error = { code: "bad-offset", message: "in the middle", hint: "use another" };
        response.end(`${text(0, 1)}event: error\ndata: ${JSON.stringify({ error })}\n\n`);
      },
    }).listen();
    const master = await server.connect();
    await assert.rejects(collect(master.events("a", 0)), { code: "unknown-job" });
    const events = master.events("b", 0)[Symbol.asyncIterator]();
    assert.equal((await events.next()).done, false);
    await assert.rejects(events.next(), { name: "DiscoError", code: "bad-offset", hint: "use another" });
  });

  it("end at once, without an error, when they are called off; leaving them ends the request", async () => {
    const left = Promise.withResolvers<void>();
    await using server = await new ScriptedServer({
      [path]: (_, response) => {
        begin(response);
        response.write(text(0, 2));
        response.once("close", () => left.resolve());
      },
    }).listen();
    const master = await server.connect();
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const [offset] of master.events("a", 0, { signal: stop.signal })) {
      seen.push(offset);
      if (offset === 20) setImmediate(() => stop.abort());
    }
    assert.deepEqual(seen, [10, 20]);
    await left.promise;
    for await (const _ of master.events("a", 0)) break;
  });

  it("fail when the master stays away for longer than retries go on", async () => {
    await using server = await new ScriptedServer({
      [path]: (_, response) => {
        begin(response);
        response.write(text(0, 1), () => hangUp(response));
        void server.kill();
      },
    }).listen();
    const master = await server.connect({ retrySeconds: 0.3 });
    await assert.rejects(collect(master.events("a", 0)), { name: "CommError", code: "comm-error" });
  });
});

describe("the progress of a job at a master elsewhere", () => {
  it("is told until the job has ended, over connections that break", async () => {
    const state = { name: "a", owner: "me", submittedAt: 0, endedAt: null, stages: [], hosts: [], waits: [] };
    const rest = { reason: null, failure: null, peakRss: 0 };
    await using server = await new ScriptedServer({
      "GET /api/v1/jobs/a/progress": ({ path: url }, response, nth) => {
        assert.match(url, /interval=250$/);
        const status = nth === 0 ? "active" : "ready";
        const results = nth === 0 ? [] : ["dir://n1/disco/n1/aa/a/.disco/x.results"];
        begin(response);
        const data = `data: ${JSON.stringify({ ...state, ...rest, status, results })}\n\n`;
        response.write(data, () => (nth === 0 ? hangUp(response) : response.end(end)));
      },
    }).listen();
    const master = await server.connect();
    const seen: unknown[] = [];
    for await (const { status, inputs, results } of master.progress("a", { intervalMs: 250 })) {
      seen.push([status, inputs, results]);
    }
    // Where the node's data are reached from here.
    const address = `dir://127.0.0.1:${server.port}/disco/n1/aa/a/.disco/x.results`;
    assert.deepEqual(seen, [
      ["active", [], []],
      ["ready", [], [address]],
    ]);
  });
});

describe("server-sent events", () => {
  it("are the same however the text is cut", () => {
    const stream = `:hello\r\n\r\nid: 1\r\ndata: a\r\n\r\ndata: b\ndata:c\n\nevent: end\nid: 2\ndata: {}\n\nevent: nothing\n\n${text(0, 2)}`;
    const whole = [...new ServerEventParser().take(stream)];
    assert.deepEqual(whole.slice(0, 3), [
      { event: "message", data: "a", id: "1" },
      { event: "message", data: "b\nc", id: "1" },
      { event: "end", data: "{}", id: "2" },
    ]);
    for (let size = 1; size < stream.length; size += 3) {
      const parser = new ServerEventParser();
      const cut = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
        stream.slice(i * size, (i + 1) * size),
      );
      assert.deepEqual(
        cut.flatMap((part) => [...parser.take(part)]),
        whole,
      );
    }
  });
});
