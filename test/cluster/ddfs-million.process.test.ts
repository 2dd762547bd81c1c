/**
 * A tag of a million URLs at a daemon: sent, added to, read, looked through and kept over a restart, and the daemon answers others
 * meanwhile. How long its event loop stood still at most is its own figure (`/metrics`).
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { Disco } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";

const count = 1_000_000;
/** Of a machine that does many other things. Without them it is a tenth. */
const pauseMsMax = 2_000;

describe("a tag of a million URLs", () => {
  let daemon: TestDaemon;
  let disco: Disco;
  let api: DdfsApi;

  before(async () => {
    daemon = await startDaemon();
    disco = new Disco(daemon.address);
    api = await disco.ddfs.api();
  });
  after(async () => {
    await disco.close();
    await daemon[Symbol.asyncDispose]();
  });

  /** Prints and checks what it cost. */
  async function measured<T>(what: string, act: () => Promise<T>): Promise<T> {
    await pauseMs();
    const begun = performance.now();
    const result = await act();
    const ms = performance.now() - begun;
    const pause = await pauseMs();
    console.log(`${what}: ${ms.toFixed(0)} ms, the daemon's longest pause ${pause.toFixed(0)} ms`);
    assert.ok(pause < pauseMsMax, `${what}: ${pause} ms`);
    return result;
  }

  /** Since it was asked last. */
  async function pauseMs(): Promise<number> {
    const text = await (await fetch(`${daemon.url}/metrics`)).text();
    const seconds = /event_loop_lag_seconds\{quantile="1"\} (\S+)/.exec(text)?.[1];
    assert.ok(seconds !== undefined, text.slice(0, 500));
    return Number(seconds) * 1_000;
  }

  it("is sent, added to, read and kept, and nobody waits long for it", async () => {
    const urls = Array.from({ length: count }, (_, i) => [
      `disco://node${i % 7}/ddfs/vol0/blob/00/b${i}$703-54adf-ca24d`,
    ]);
    await measured("a million linked", () => api.link("million", urls));
    const begun = performance.now();
    await measured("one more", () => api.link("million", [["raw://newest"]]));
    assert.ok(performance.now() - begun < pauseMsMax, "adding costs what is added");
    const tag = await measured("read", () => api.tag("million"));
    assert.equal(tag.urls.length, count + 1);
    assert.deepEqual([tag.urls[0], tag.urls[1], tag.urls[count]], [["raw://newest"], urls[0], urls[count - 1]]);
    assert.deepEqual(await measured("looked through", () => api.hostedTags("localhost")), []);
    const known = urls.slice(0, 2).map(([url = ""]) => [url.replace("node", "other")]);
    await measured("two that are there, one that is not, with update", () =>
      api.link("million", [...known, ["raw://other"]], { update: true }),
    );
    await measured("replaced", () => api.putTag("million", urls));
    await api.link("million", [["raw://last"]], { delayed: true });
    await daemon.restart("kill");
    const kept = await api.tag("million");
    assert.deepEqual([kept.urls.length, kept.urls[0]], [count + 1, ["raw://last"]]);
  });
});
