import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { DiscoError } from "../../../errors.ts";
import { Bodies } from "./bodies.ts";

const limits = { list: 10_000, all: 15_000 };

describe("bodies of requests to DDFS", () => {
  let bodies = new Bodies(limits);
  const outcomes: (string | number)[] = [];
  const waiting = new Set<() => void>();
  const server = http.createServer((request, response) => {
    bodies.urls(request).then(
      (parts) => outcome(parts.join("\n").split("\n").length),
      (error: unknown) => outcome(error instanceof DiscoError ? error.code : String(error)),
    );
    function outcome(what: string | number): void {
      outcomes.push(what);
      response.end();
      for (const wake of waiting) wake();
    }
  });
  const reached = async (count: number): Promise<void> => {
    while (outcomes.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  const begin = (headers: Record<string, string> = {}): http.ClientRequest => {
    const { port } = server.address() as AddressInfo;
    const sent = http.request({ port, method: "POST", host: "127.0.0.1", headers, agent: false });
    sent.on("error", () => undefined);
    return sent;
  };
  const list = (entries: number): string =>
    JSON.stringify(Array.from({ length: entries }, (_, i) => [`raw://${String(i).padStart(8, "0")}`]));

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it("are read whatever they announce, and refused above the limit, announced or not", async () => {
    begin().end(list(400));
    await reached(1);
    begin({ "content-length": "10001" }).write("[");
    await reached(2);
    begin().end(list(600));
    await reached(3);
    assert.deepEqual(outcomes.splice(0), [400, "body-too-large", "body-too-large"]);
  });

  it("that are being read have a limit together, which those that have ended do not count for", async () => {
    bodies = new Bodies(limits);
    const first = begin();
    const half = list(400);
    first.write(half.slice(0, -1));
    // Its bytes are here when the second is told.
    const second = begin();
    second.write(half.slice(0, -1));
    await reached(1);
    assert.deepEqual(outcomes, ["too-busy"]);
    const open = [first, second].filter((sent) => !sent.destroyed);
    for (const sent of open) sent.end("]");
    await reached(2);
    begin().end(half);
    await reached(3);
    assert.deepEqual(outcomes.splice(0), ["too-busy", 400, 400]);
  });

  it("that break off are none", async () => {
    const sent = begin({ "content-length": "5000" });
    const seen = once(server, "request");
    sent.write(list(10).slice(0, -1));
    await seen;
    sent.destroy();
    await reached(1);
    assert.deepEqual(outcomes.splice(0), ["cut-off"]);
  });
});
