/** Files to a daemon's DDFS and back, as scripts do it: in parallel, from streams, in chunks that a job reads, and with a damaged disk. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, createReadStream, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { chainReader, DDFS, Disco, resultIterator } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

describe("files in a daemon's DDFS", () => {
  let daemon: TestDaemon;
  let ddfs: DDFS;
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-files-"));
    daemon = await startDaemon();
    ddfs = new DDFS(daemon.address);
  });
  after(async () => {
    await ddfs.close();
    await daemon[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("come back as they were, many at once, from paths and from streams", async () => {
    const big = join(folder, "big");
    writeFileSync(big, randomBytes(8_000_000));
    const small = Array.from({ length: 100 }, (_, i) => ({ name: `s${i}`, data: randomBytes(i * 37) }));
    let bytesSent = 0;
    const [, blobs] = await ddfs.push("files", [big, { name: "stream", data: createReadStream(big) }, ...small], {
      concurrency: 16,
      progress: (told) => (bytesSent = told.bytesSent),
    });
    assert.equal(blobs.length, 102);
    assert.equal(bytesSent, 16_000_000 + small.reduce((sum, { data }) => sum + data.length, 0));
    const digest = createHash("sha256").update(readFileSync(big)).digest("hex");
    const expected = [digest, digest, ...small.map(({ data }) => createHash("sha256").update(data).digest("hex"))];
    const got: string[] = [];
    for await (const blob of ddfs.pull("files")) {
      const hash = createHash("sha256");
      for await (const chunk of blob) hash.update(chunk);
      got.push(hash.digest("hex"));
      assert.equal((await blob.stat())?.digest, got.at(-1));
    }
    assert.deepEqual(got, expected);
  });

  it("are split into chunks, compressed ones as well, whose records a job reads through links", async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i % 7} ${Math.imul(i, 2_654_435_761) >>> 0}`);
    writeFileSync(join(folder, "lines.gz"), gzipSync(lines.join("\n")));
    const [, blobs] = await ddfs.chunk("lines", join(folder, "lines.gz"), { chunkSize: 50_000 });
    assert.ok(blobs.length > 2);
    await ddfs.tag("all", ["tag://lines", "tag://all"]);
    await using disco = new Disco(daemon.address);
    const job = await disco.newJob("sevenths", {
      input: ["tag://all"],
      mapReader: chainReader,
      map: ([line]) => [[line.slice(0, 1), 1] as const],
      *reduce(pairs) {
        const counts = new Map<string, number>();
        for (const [digit, n] of pairs) counts.set(digit, (counts.get(digit) ?? 0) + n);
        yield* counts;
      },
    });
    const expected = [0, 1, 2, 3, 4, 5, 6].map((digit) => [String(digit), Math.ceil((30_000 - digit) / 7)]);
    const counts = await resultIterator(await job.wait()).toArray();
    assert.deepEqual(
      counts.toSorted(([a], [b]) => (a < b ? -1 : 1)),
      expected,
    );
    assert.equal((await job.jobinfo()).stages[0]?.done, blobs.length);
  });

  it("that lie damaged on the disk are never taken for what was stored", async () => {
    const bytes = randomBytes(3_000_000);
    const [, [[url = ""] = []]] = await ddfs.push("damaged", { name: "x", data: bytes });
    const [blob] = await Array.fromAsync(ddfs.pull("damaged"));
    assert.ok(blob !== undefined && bytes.equals(await blob.bytes()));
    const path = join(daemon.root, "data", url.replace(/^disco:\/\/[^/]+\//, ""));
    const stored = readFileSync(path);
    stored[1_234_567] = (stored[1_234_567] as number) ^ 1;
    chmodSync(path, 0o600);
    writeFileSync(path, stored);
    await assert.rejects(blob.bytes(), { code: /^(?:blob-damaged|cut-off)$/ });
    await assert.rejects(blob.save(join(folder, "x")), { name: /Error$/ });
    assert.throws(() => readFileSync(join(folder, "x")), { code: "ENOENT" });
  });
});
