import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { Peers } from "../../fetch/peers.ts";
import { ask, put, serveMaster, serveOther } from "./gateway.test-kit.ts";
import { Gateway } from "./gateway.ts";
import { distantDoor } from "./master-door.ts";

const token = "cluster-token-0123456789";
const dataDir = await mkdtemp(join(tmpdir(), "disco-held-own-"));
const otherDir = await mkdtemp(join(tmpdir(), "disco-held-other-"));
after(async () => {
  for (const directory of [dataDir, otherDir]) await rm(directory, { recursive: true, force: true });
});

it("keeps no more in memory for the workers of one job than its limit, and lets those of others pass", async () => {
  const waiting: ServerResponse[] = [];
  let news = (): void => undefined;
  const master = await serveMaster((_question, response) => {
    waiting.push(response);
    news();
  });
  const other = await serveOther(otherDir, token);
  const peers = new Peers({ urlOf: (node) => (node === "other" ? other.url : undefined), token });
  const gateway = new Gateway({
    dataDir,
    host: "own",
    nodes: () => ({ other: other.url }),
    peers,
    door: () => Promise.resolve(distantDoor(() => master.url, peers)),
    patience: { master: 0, node: 0 },
    heldBytesMax: 100_000,
  });
  const answered = async (): Promise<ServerResponse> => {
    while (waiting.length === 0) await new Promise<void>((resolve) => (news = resolve));
    return waiting.shift() as ServerResponse;
  };
  const body = JSON.stringify([`http://x/${"y".repeat(70_000)}`]);
  const lines = `0 http://x/y 1\n`.repeat(4_000);
  try {
    const one = await gateway.openJob("job@1");
    const two = await gateway.openJob("job@2");
    const link = (base: string): Promise<Response> => ask(`${base}/ddfs/tag/t`, { method: "POST", body });
    const own = (await put(dataDir, "own", "j", ".disco/a.results", lines)).slice("disco://own".length);
    const distant = (await put(otherDir, "other", "j", ".disco/a.results", lines)).slice("disco://other".length);
    const first = link(one.master);
    const held = await answered();
    // The list of the first waits for the master.
    assert.equal((await link(one.master)).status, 503);
    for (const path of [own, distant]) {
      const refused = await ask(one.master + path);
      assert.deepEqual([refused.status, /ask again/.test(await refused.text())], [503, true], path);
      const given = await ask(two.master + path);
      assert.deepEqual([given.status, (await given.text()).length], [200, lines.length], path);
    }
    const second = link(two.master);
    for (const response of [held, await answered()]) response.end("[]");
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
    await Promise.all([(await first).text(), (await second).text()]);
    // What is over is not kept any more.
    assert.equal((await (await ask(one.master + own)).text()).length, lines.length);
    const gone = new http.Agent();
    const left = http.request(`${one.master}/ddfs/tag/t`, { method: "POST", agent: gone });
    left.on("error", () => undefined).end(body);
    const unanswered = await answered();
    const over = new Promise((resolve) => unanswered.once("close", resolve));
    left.destroy();
    await over;
    assert.equal((await (await ask(one.master + own)).text()).length, lines.length);
  } finally {
    await gateway.close();
    await other.close();
    await master.close();
  }
});
