import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CommError } from "../../errors.ts";
import { masterAddress } from "../address.ts";
import type { MasterApi } from "../master-api.ts";
import { knownServers } from "../servers.ts";
import { connectMaster } from "./connect.ts";
import { Masters, Round } from "./rounds.ts";
import { failed, hangUp, json, type Script, ScriptedServer } from "./scripted-server.test-kit.ts";

const nodes: Script = (_, response) => json(response, 200, { nodes: [] });
const asksForNodes = "GET /api/v1/nodes";
const idle = { name: "a@1:2:3", status: "active", results: [], reason: null, failure: null };

async function connect(servers: readonly string[], retrySeconds = 20): Promise<MasterApi & AsyncDisposable> {
  const address = masterAddress(servers);
  assert.ok(address !== null);
  const master = await connectMaster(address, { retrySeconds });
  return Object.assign(master, { [Symbol.asyncDispose]: () => master.close() });
}

describe("a list of masters", () => {
  it("is asked one after the other for the first that answers, without a wait", async () => {
    await using server = await new ScriptedServer({ [asksForNodes]: nodes }).listen();
    const begin = performance.now();
    await using master = await connect([await freeAddress(), await freeAddress(), server.address]);
    assert.deepEqual(await master.nodeInfo(), []);
    assert.ok(performance.now() - begin < 1_000);
  });

  it("goes on with another master when one ends, for all questions that wait there", async () => {
    const asked = Promise.withResolvers<void>();
    await using first = await new ScriptedServer({
      [asksForNodes]: (_, __, nth) => (nth === 2 ? asked.resolve() : undefined),
    }).listen();
    await using second = await new ScriptedServer({ [asksForNodes]: nodes }).listen();
    await using master = await connect([first.address, second.address]);
    const asking = [master.nodeInfo(), master.nodeInfo(), master.nodeInfo()];
    await asked.promise;
    await first.kill();
    assert.deepEqual(await Promise.all(asking), [[], [], []]);
    assert.equal(second.times(asksForNodes), 3);
    await master.nodeInfo();
    assert.equal(second.times(asksForNodes), 4);
  });

  it("leaves a master that knows none who leads for the next, and waits when nobody does", async () => {
    const at: number[] = [];
    const none: Script = (_, response) =>
      failed(response, 503, { code: "no-leader", message: "no master leads" }, { "retry-after": "1" });
    await using first = await new ScriptedServer({ [asksForNodes]: none }).listen();
    await using second = await new ScriptedServer({
      [asksForNodes]: (asked, response, nth) => {
        at.push(performance.now());
        return (nth === 0 ? none : nodes)(asked, response, nth);
      },
    }).listen();
    await using master = await connect([first.address, second.address]);
    await master.nodeInfo();
    assert.equal(first.times(asksForNodes), 2);
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 990, `${at}`);
  });

  it("leaves a master whose engine is away for one whose engine is not, without a wait", async () => {
    await using first = await new ScriptedServer({
      [asksForNodes]: (_, response) =>
        failed(response, 503, { code: "engine-away", message: "the engine is away" }, { "retry-after": "30" }),
    }).listen();
    await using second = await new ScriptedServer({ [asksForNodes]: nodes }).listen();
    await using master = await connect([first.address, second.address]);
    assert.deepEqual(await master.nodeInfo(), []);
    assert.deepEqual([first.times(asksForNodes), second.times(asksForNodes)], [1, 1]);
  });

  it("submits with the same key wherever it asks again, so that it is one job (fault 29)", async () => {
    const jobs = new Map<string, string>();
    const submit =
      (isLost: boolean): Script =>
      ({ headers }, response) => {
        const key = String(headers["idempotency-key"]);
        jobs.set(key, jobs.get(key) ?? `job@1:2:${jobs.size}`);
        if (isLost) hangUp(response);
        else json(response, 201, { name: jobs.get(key) });
      };
    await using first = await new ScriptedServer({ "POST /api/v1/jobs": submit(true) }).listen();
    await using second = await new ScriptedServer({ "POST /api/v1/jobs": submit(false) }).listen();
    await using master = await connect([first.address, second.address]);
    assert.equal(await master.submit(Buffer.from("pack")), "job@1:2:0");
    assert.deepEqual([first.times("POST /api/v1/jobs"), second.times("POST /api/v1/jobs"), jobs.size], [1, 1, 1]);
  });

  it("carries waits and events over from one master to the next", async () => {
    const polled = Promise.withResolvers<void>();
    const event = { time: "", host: "h", task: null, level: "info", message: "m" };
    const path = `GET /api/v1/jobs/${encodeURIComponent("a@1:2:3")}/events`;
    const offsets: (string | null)[] = [];
    const events =
      (ids: readonly number[], isEnd: boolean): Script =>
      ({ path: url }, response) => {
        offsets.push(new URL(url, "http://x").searchParams.get("offset"));
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(ids.map((id) => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
        if (isEnd) response.end("event: end\ndata: {}\n\n");
      };
    await using first = await new ScriptedServer({
      [path]: events([1, 2], false),
      "POST /api/v1/results": () => polled.resolve(),
    }).listen();
    await using second = await new ScriptedServer({
      [path]: events([3], true),
      "POST /api/v1/results": (_, response) => json(response, 200, { results: [{ ...idle, status: "ready" }] }),
    }).listen();
    await using master = await connect([first.address, second.address]);
    const waiting = master.results(["a@1:2:3"], 60_000);
    await polled.promise;
    const seen: number[] = [];
    for await (const [offset] of master.events("a@1:2:3", 0)) {
      seen.push(offset);
      if (offset === 2) await first.kill();
    }
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(offsets, ["0", "2"]);
    assert.equal((await waiting)[0]?.status, "ready");
  });

  it("leads to results at the master that answers, also where an address names one that has ended", async () => {
    await using first = await new ScriptedServer({ [asksForNodes]: nodes }).listen();
    await using second = await new ScriptedServer({ [asksForNodes]: nodes }).listen();
    const [a, b] = [first, second].map(({ port }) => `127.0.0.1:${port}`) as [string, string];
    await using master = await connect([first.address, second.address]);
    assert.equal(knownServers().dataServers?.[a], `http://${a}`);
    assert.equal(knownServers().dataServers?.[b], `http://${a}`);
    await first.kill();
    await master.nodeInfo();
    assert.equal(knownServers().dataServers?.[a], `http://${b}`);
    assert.equal(knownServers().dataServers?.[b], `http://${b}`);
  });

  it("of which none answers is named as a whole, each with its reason", async () => {
    const [a, b] = [await freeAddress(), "disco://nobody.invalid:1"];
    await assert.rejects(connect([a, b], 0), (error: CommError) => {
      assert.equal(error.code, "comm-error");
      const [name, port] = [a.slice("disco://".length), "nobody\\.invalid:1"];
      assert.match(error.message, new RegExp(`none of the masters ${a},${b} answers`));
      assert.match(
        error.message,
        new RegExp(`http://${name}: connection refused; http://${port}: (no machine|its name)`),
      );
      return true;
    });
  });
});

describe("the turn of masters", () => {
  it("asks each once a round, beginning where the last answer came from", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(5), (count, lead) => {
        const [first = "", ...others] = Array.from({ length: count }, (_, i) => `http://m${i}`);
        const masters = new Masters([first, ...others]);
        for (let i = 0; i < lead % count; i++) masters.leave(masters.current, new Round());
        const round = new Round();
        for (let turn = 0; turn < 3; turn++) {
          const asked = new Set<string>();
          do {
            assert.ok(!asked.has(masters.current));
            asked.add(masters.current);
            round.failed(masters.current, "gone");
          } while (masters.leave(masters.current, round));
          assert.equal(asked.size, count);
        }
      }),
    );
  });

  it("leaves a master once, however many questions fail there", () => {
    const masters = new Masters(["a", "b", "c"]);
    for (let i = 0; i < 5; i++) {
      const round = new Round();
      round.failed("a", "gone");
      assert.equal(masters.leave("a", round), true);
      assert.equal(masters.current, "b");
    }
  });
});

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `disco://127.0.0.1:${port}`;
}
