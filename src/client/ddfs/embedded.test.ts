import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Disco } from "../disco.ts";
import { DDFS } from "./ddfs.ts";

describe("DDFS of the embedded engine", () => {
  let root = "";
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-ddfs-"));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it("keeps what was pushed, for whoever opens it next", async () => {
    const bytes = randomBytes(3_000_000);
    const path = join(root, "file.bin");
    await writeFile(path, bytes);
    {
      await using disco = new Disco(undefined, { root, workers: 1 });
      const [, blobs] = await disco.ddfs.push("data", [path, { name: "stream", data: createReadStream(path) }], {
        progress: () => {},
      });
      assert.equal(blobs.length, 2);
      await disco.ddfs.setattr("data", "made-by", "a test");
    }
    await using ddfs = new DDFS(undefined, { root });
    const digest = createHash("sha256").update(bytes).digest("hex");
    for await (const blob of ddfs.pull("data")) {
      assert.ok(bytes.equals(await blob.bytes()));
      const stat = await blob.stat();
      assert.deepEqual([stat?.size, stat?.digest], [bytes.length, digest]);
    }
    assert.deepEqual(await ddfs.attrs("data"), { "made-by": "a test" });
    await assert.rejects(ddfs.push("data", { name: "x", data: "x" }, { replicas: 2 }), { code: "not-enough-nodes" });
    const [, [urls]] = await ddfs.push("data", { name: "x", data: "x" }, { replicas: 2, minReplicas: 1 });
    assert.equal(urls?.length, 1);
  });

  it("stores what a stream gave, also when that uses its memory again for what comes next", async () => {
    const memory = Buffer.alloc(64 * 1024);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 40; i++) yield memory.fill(i);
    };
    const wanted = Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(memory.length, i)));
    await using ddfs = new DDFS(undefined, { root });
    await ddfs.push("reused", { name: "stream", data: pieces() });
    await ddfs.push("reused", { name: "function", data: pieces });
    for await (const blob of ddfs.pull("reused")) assert.ok(wanted.equals(await blob.bytes()), blob.name);
  });

  it("keeps a script alive until it has answered, and ends with it", async () => {
    const script = `
      import { DDFS } from ${JSON.stringify(new URL("../../index.ts", import.meta.url).href)};
      const ddfs = new DDFS(undefined, { root: ${JSON.stringify(root)} });
      await ddfs.push("alive", { name: "x", data: "still here" });
      for await (const blob of ddfs.pull("alive")) console.log(await blob.text());
    `;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
    assert.equal((await run).stdout, "still here\n");
  });
});
