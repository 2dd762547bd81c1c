import assert from "node:assert/strict";
import { createServer as createHttpServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Leading, MasterRole } from "../leading.ts";
import { createApi } from "./api/api.ts";
import { openServer, type TestServer, type TestServerOptions } from "./server.test-kit.ts";

const token = "geheim-4711";

class State implements Leading {
  is: MasterRole = "follows";
  at: string | null = null;
  age = 7;
  role = (): MasterRole => this.is;
  leader = (): { url: string; epoch: number } | null => (this.at === null ? null : { url: this.at, epoch: 3 });
  ageMs = (): number => this.age;
}

interface Two extends AsyncDisposable {
  readonly leader: TestServer;
  readonly follower: TestServer;
  readonly state: State;
}

const compose: NonNullable<TestServerOptions["compose"]> = (master) => ({
  api: createApi(master, { packBytesMax: 1_000_000 }),
});

/** One that leads, and one that follows it. */
async function openTwo(options: TestServerOptions = {}): Promise<Two> {
  const leads = new State();
  leads.is = "leads";
  const leader = await openServer({ compose, leading: leads, ...options });
  const state = new State();
  state.at = leader.url;
  const follower = await openServer({ compose, leading: state, instance: "instance-2", ...options });
  return {
    leader,
    follower,
    state,
    async [Symbol.asyncDispose]() {
      await follower.close();
      await leader.close();
    },
  };
}

describe("a master that follows", () => {
  it("answers questions itself, and says how old its answer is", async () => {
    await using two = await openTwo();
    two.follower.master.list = [{ name: "of@follower", status: "ready", submittedAt: 1 }];
    for (const path of ["/api/v1/jobs", "/disco/ctrl/joblist"]) {
      const { text, headers } = await two.follower.ask(path);
      assert.match(text, /of@follower/);
      assert.equal(headers.get("disco-age-ms"), "7", path);
      assert.equal((await two.leader.ask(path)).headers.get("disco-age-ms"), null);
    }
    // It has ended, so that no answer of the leader can be newer.
    assert.equal((await two.follower.ask("/api/v1/jobs/job@1")).headers.get("disco-age-ms"), "7");
  });

  it("has the leader tell of a job that it does not know yet, or that goes on, and tells what it knows when nobody leads", async () => {
    await using two = await openTwo();
    const { follower, leader, state } = two;
    follower.master.results = async (names) =>
      names.map((name) => ({ name, status: "unknown_job" as const, results: [], reason: null, failure: null }));
    const fromLeader = await follower.ask("/api/v1/jobs/job@1");
    assert.deepEqual([fromLeader.status, fromLeader.headers.get("disco-age-ms")], [200, null]);
    await leader.close();
    assert.equal((await follower.ask("/api/v1/jobs/job@1")).headers.get("disco-age-ms"), "7");
    state.at = null;
    assert.equal((await follower.ask("/disco/ctrl/jobinfo?name=job@1")).headers.get("disco-age-ms"), "7");
  });

  it("takes what changes something to the leader, with its body and its key", async () => {
    await using two = await openTwo();
    const { leader, follower } = two;
    const pack = Buffer.alloc(300_000, "x");
    const submitted = await follower.ask("/api/v1/jobs", {
      method: "POST",
      body: pack,
      headers: { "content-type": "application/octet-stream", "idempotency-key": "k1" },
    });
    assert.deepEqual([submitted.status, submitted.json()], [201, { name: "job@1" }]);
    assert.ok(leader.master.packs[0]?.equals(pack));
    assert.equal(follower.master.packs.length, 0);
    assert.equal((await follower.ask("/api/v1/jobs/job@1/kill", { method: "POST" })).status, 204);
    const old = await follower.ask("/disco/ctrl/kill_job", { method: "POST", body: '"job@1"' });
    assert.equal(old.status, 200);
    assert.deepEqual(
      leader.master.calls.map(([name]) => name),
      ["kill", "kill"],
    );
    const refused = await follower.ask("/api/v1/settings", {
      method: "PATCH",
      body: "{",
      headers: { "content-type": "application/json" },
    });
    assert.equal(refused.status, 400);
  });

  it("passes the events of a job through as they come, and ends the leader's when the client goes", async () => {
    await using two = await openTwo();
    const { leader, follower } = two;
    const ended = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const event = { time: "t", host: "h", task: null, level: "info" as const, message: "m" };
    leader.master.events = async function* (_name, _offset, { signal } = {}) {
      yield [1, { ...event, message: "eins" }];
      await go.promise;
      yield [2, { ...event, message: "zwei" }];
      await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      ended.resolve();
    };
    const stop = new AbortController();
    const headers = { accept: "text/event-stream" };
    const reply = await fetch(`${follower.url}/api/v1/jobs/job@1/events`, { headers, signal: stop.signal });
    assert.match(reply.headers.get("content-type") ?? "", /event-stream/);
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const until = async (part: string): Promise<void> => {
      while (!text.includes(part)) text += Buffer.from((await reader.read()).value ?? []).toString();
    };
    await until("eins");
    assert.doesNotMatch(text, /zwei/);
    go.resolve();
    await until("zwei");
    stop.abort();
    await ended.promise;
  });

  it("cuts off what waits at a leader that leads no longer, so that the client asks again", async () => {
    await using two = await openTwo();
    const { leader, follower, state } = two;
    const waiting = follower.ask("/api/v1/results", {
      method: "POST",
      body: JSON.stringify({ names: ["slow"], timeoutMs: 60_000 }),
      headers: { "content-type": "application/json" },
    });
    while (!leader.master.calls.some(([name]) => name === "results")) await turn();
    state.at = "http://127.0.0.1:9";
    const { status, headers, text } = await waiting;
    assert.equal(status, 503);
    assert.equal(headers.get("retry-after"), "1");
    assert.match(text, /"no-leader"/);
    assert.equal(leader.master.calls.filter(([name]) => name === "results").length, 1);
  });

  it("asks for patience when no leader is known, or none answers there", async () => {
    await using two = await openTwo();
    const { follower, state } = two;
    for (const at of [null, `http://127.0.0.1:${await freePort()}`]) {
      state.at = at;
      const { status, headers, text } = await follower.ask("/api/v1/jobs", { method: "POST", body: "pack" });
      assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
      assert.match(text, /"code":"no-leader".*"retry":"here"/);
    }
  });

  it("sends nothing on that was sent to it as the leader", async () => {
    await using two = await openTwo();
    const { leader, follower, state } = two;
    // It takes itself, or the other one, for the leader.
    for (const at of [follower.url, leader.url]) {
      state.at = at;
      const { status, text } = await follower.ask("/api/v1/jobs/job@1/kill", {
        method: "POST",
        headers: { "disco-forwarded": "instance-9" },
      });
      assert.equal(status, 503);
      assert.match(text, /does not lead/);
    }
    state.at = follower.url;
    assert.equal((await follower.ask("/api/v1/jobs/job@1/kill", { method: "POST" })).status, 503);
  });

  it("shows the token to the leader only, after it was found right, and tells nothing of the page that asks", async () => {
    await using two = await openTwo({ settings: { tokens: { admin: token } } });
    const { leader, follower, state } = two;
    const path = "/api/v1/jobs/job@1/kill";
    const authorization = `Bearer ${token}`;
    const headers = { authorization, origin: follower.url, referer: `${follower.url}/`, cookie: "a=b" };
    assert.equal((await follower.ask(path, { method: "POST", headers })).status, 204);
    const seen: IncomingHttpHeaders[] = [];
    const other = createHttpServer((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    state.at = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const wrong of [{}, { authorization: "Bearer wrong" }]) {
      assert.equal((await follower.ask(path, { method: "POST", headers: wrong })).status, 401);
    }
    assert.equal(seen.length, 0);
    await follower.ask(path, { method: "POST", headers });
    await new Promise((resolve) => other.close(resolve).closeAllConnections());
    const [got] = seen;
    assert.equal(got?.authorization, authorization);
    assert.equal(got["disco-forwarded"], "instance-2");
    assert.deepEqual([got.origin, got.referer, got.cookie], [undefined, undefined, undefined]);
    assert.ok(![...leader.lines, ...follower.lines].some((line) => line.includes(token)));
  });

  it("gives back a refusal of the leader while the body is still coming", async () => {
    await using two = await openTwo();
    const { leader, follower } = two;
    leader.master.assertAccepting = () => {
      throw Object.assign(new Error("no"), {});
    };
    const { status } = await new Promise<{ status: number }>((resolve, reject) => {
      const sent = httpRequest(`${follower.url}/api/v1/jobs`, { method: "POST" }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0 });
        sent.destroy();
      });
      sent.on("error", reject);
      sent.write("the first part, and no more");
    });
    assert.equal(status, 500);
  });

  it("leads from the moment on in which it does", async () => {
    await using two = await openTwo();
    const { follower, state } = two;
    state.is = "leads";
    assert.equal((await follower.ask("/api/v1/jobs/job@1/kill", { method: "POST" })).status, 204);
    assert.deepEqual(follower.master.calls, [["kill", "job@1"]]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
