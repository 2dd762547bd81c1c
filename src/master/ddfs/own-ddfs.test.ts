import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { MasterApi } from "../../client/master-api.ts";
import { openEmbedded } from "../embedded.ts";

async function store({ ddfs }: MasterApi, name: string, text: string): Promise<string> {
  const [target] = await ddfs.newBlob(name);
  assert.ok(target !== undefined);
  return (await ddfs.putBlob(target, Readable.from([Buffer.from(text)]))).url;
}

async function read({ ddfs }: MasterApi, url: string): Promise<string> {
  return (await buffer((await ddfs.openBlob(url)).body)).toString();
}

describe("DDFS of an embedded engine", () => {
  let root: string;
  const engines: MasterApi[] = [];
  const open = async (options: { journal?: "memory" } = {}): Promise<MasterApi> => {
    const engine = await openEmbedded({ root, slots: 1, ...options });
    engines.push(engine);
    return engine;
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-own-ddfs-"));
  });
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
    await rm(root, { recursive: true, force: true });
  });

  it("keeps tags and blobs for the next engine on the root", async () => {
    const first = await open();
    const url = await store(first, "words", "a b c");
    await first.ddfs.link("t", [[url]]);
    await first.ddfs.setAttr("t", "lang", "en");
    // Waits for others when the engine is closed: recorded all the same.
    const delayed = first.ddfs.link("t", [["tag://other"]], { delayed: true });
    await new Promise((resolve) => setImmediate(resolve));
    await first.close();
    await delayed;
    const second = await open();
    assert.deepEqual((await second.ddfs.tag("t")).urls, [["tag://other"], [url]]);
    assert.equal(await second.ddfs.getAttr("t", "lang"), "en");
    assert.equal(await read(second, url), "a b c");
    assert.deepEqual(await second.ddfs.hostedTags("localhost"), ["t"]);
  });

  it("costs nothing where it is not used", async () => {
    const engine = await open();
    await engine.jobList();
    assert.equal(existsSync(join(root, "data", "ddfs")), false);
  });

  it("is one script's at a time, as the others' journals are not read later", async () => {
    await open();
    const other = await open();
    await assert.rejects(other.ddfs.tags(), { code: "root-busy", hint: /disco start/ });
  });

  it("leaves nothing of an engine in memory, and touches nothing of the others", async () => {
    const lasting = await open();
    const url = await store(lasting, "x", "kept");
    const passing = await open({ journal: "memory" });
    await store(passing, "x", "gone");
    assert.equal(readdirSync(join(root, "data", "ddfs")).length, 2);
    await passing.close();
    assert.deepEqual(readdirSync(join(root, "data", "ddfs")), ["vol1000"]);
    assert.equal(await read(lasting, url), "kept");
  });

  it("is closed with its engine", async () => {
    const engine = await open();
    await engine.close();
    await assert.rejects(engine.ddfs.tags(), { code: "closed" });
  });
});
