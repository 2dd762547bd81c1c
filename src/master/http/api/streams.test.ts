import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { JobInfo } from "../../../client/master-api.ts";
import { DiscoError } from "../../../errors.ts";
import { type FakeMaster, jobEvents, jobInfo, openFakeMaster } from "../fake-master.test-kit.ts";
import { ApiServer, refusing } from "./api.test-kit.ts";

let master: FakeMaster;
let server: ApiServer;
const refuses = refusing(
  () => server,
  () => master,
);

before(async () => {
  master = await openFakeMaster();
  server = await new ApiServer(master, { heartbeatMs: 20 }).listen();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await master.close();
});

describe("a stream of events", () => {
  const sse = { headers: { accept: "text/event-stream" } };

  it("has the offset behind each event as its id, and goes on from there", async () => {
    const whole = await server.ask("GET", "/jobs/job@1/events", sse);
    assert.match(whole.headers.get("content-type") ?? "", /^text\/event-stream/);
    const ids = [...whole.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id);
    const data = [...whole.text.matchAll(/^data: (.+)$/gm)].map(([, line]) => JSON.parse(line ?? "") as unknown);
    assert.deepEqual(data, [...jobEvents, {}]);
    assert.match(whole.text, /event: end\ndata: \{\}\n\n$/);
    const rest = await server.ask("GET", "/jobs/job@1/events", {
      headers: { ...sse.headers, "last-event-id": ids[1] ?? "" },
    });
    assert.equal(rest.text.match(/^id:/gm)?.length, 1);
    assert.equal((await server.ask("GET", `/jobs/job@1/events?offset=${ids[1]}`, sse)).text, rest.text);
    const lines = await server.ask("GET", `/jobs/job@1/events?offset=${ids[1]}`);
    assert.deepEqual(JSON.parse(lines.text), [Number(ids[2]), jobEvents[2]]);
    await refuses(400, "bad-header", "GET", "/jobs/job@1/events", {
      headers: { ...sse.headers, "last-event-id": "x" },
    });
  });

  it("that cannot begin answers with the reason, one that fails later says so in the stream", async () => {
    await refuses(404, "unknown-job", "GET", "/jobs/other@1/events", sse);
    const { events } = master;
    master.events = async function* () {
      yield [1, jobEvents[0] as never];
      throw new DiscoError("the offset lies in the middle", { code: "bad-offset" });
    };
    const answer = await server.ask("GET", "/jobs/job@1/events", sse);
    const lines = server.ask("GET", "/jobs/job@1/events");
    await assert.rejects(lines, "a body that is cut off");
    master.events = events;
    assert.match(answer.text, /event: error\ndata: \{"error":\{"code":"bad-offset"/);
    assert.doesNotMatch(answer.text, /event: end/);
  });

  it("beats while it is quiet, and ends without saying that all was told when the server closes", async () => {
    await using other = await new ApiServer(master, { heartbeatMs: 5 }).listen();
    const { events } = master;
    const left = Promise.withResolvers<void>();
    master.events = async function* (_name, _offset, { signal } = {}) {
      yield [1, jobEvents[0] as never];
      await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      left.resolve();
    };
    const reply = await fetch(`${other.url}/jobs/job@1/events`, sse);
    let text = "";
    const reading = (async () => {
      for await (const part of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += part;
        if (text.split(":\n\n").length > 3) other.beginClosing();
      }
    })();
    await assert.rejects(reading);
    await left.promise;
    master.events = events;
    assert.doesNotMatch(text, /event: end/);
  });

  it("takes no more from the master than a slow reader reads", async () => {
    const { events } = master;
    let given = 0;
    let isOver = false;
    const message = "x".repeat(10_000);
    master.events = async function* () {
      try {
        while (given < 100_000) yield [++given, { ...(jobEvents[0] as (typeof jobEvents)[0]), message }];
      } finally {
        isOver = true;
      }
    };
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1").pause();
    socket.write("GET /api/v1/jobs/job@1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
    // Until nothing more is taken for a good many turns.
    for (let before = -1, quiet = 0; quiet < 300; before = given) {
      await turn();
      quiet = given > 0 && given === before ? quiet + 1 : 0;
    }
    assert.ok(given < 5_000, `${given} events of 10 KB were taken`);
    socket.destroy();
    while (!isOver) await turn();
    master.events = events;
  });
});

describe("a stream of progress", () => {
  it("has results at the end only, and no inputs", async () => {
    const { progress } = master;
    master.progress = async function* () {
      yield { ...jobInfo, status: "active" } satisfies JobInfo;
      yield jobInfo;
    };
    const { text } = await server.ask("GET", "/jobs/job@1/progress?interval=10");
    master.progress = progress;
    const states = [...text.matchAll(/^data: (.+)$/gm)].map(([, line]) => JSON.parse(line ?? "") as Partial<JobInfo>);
    assert.deepEqual(
      states.map(({ status, results, inputs }) => [status, results, inputs]),
      [
        ["active", [], undefined],
        ["ready", ["dir://h/x"], undefined],
        [undefined, undefined, undefined],
      ],
    );
  });
});
