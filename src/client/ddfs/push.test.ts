import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { blobNameOf, parseBlobAddress } from "../../core/ddfs/names.ts";
import { chunksOf, down, type Kit, openKit } from "./ddfs.test-kit.ts";
import type { PushProgress } from "./ddfs-options.ts";
import { keptBytesMax } from "./push-input.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "disco-push-"));
});
after(() => rm(directory, { recursive: true, force: true }));

const hostsOf = (urls: readonly string[] = []): string[] =>
  urls.map((url) => parseBlobAddress(url)?.host ?? url).sort();

async function textsOf({ ddfs }: Kit, tag: string): Promise<[string, string][]> {
  const texts: [string, string][] = [];
  for await (const blob of ddfs.pull(tag)) texts.push([blob.name, await blob.text()]);
  return texts;
}

describe("pushing", () => {
  it("with update refuses two blobs of one name, of which one would be nowhere, and changes nothing", async () => {
    const kit = openKit();
    await mkdir(join(directory, "one"));
    await mkdir(join(directory, "two"));
    const files = [join(directory, "one", "x.txt"), join(directory, "two", "x.txt")];
    for (const file of files) await writeFile(file, file);
    const refused = { code: "same-name", message: /^two blobs would be called x_txt/ };
    await assert.rejects(kit.ddfs.push("t", files, { update: true }), refused);
    await assert.rejects(kit.ddfs.chunk("t", files, { update: true }), { code: "same-name" });
    assert.equal(await kit.ddfs.exists("t"), false);
    await kit.ddfs.push("t", files);
    await kit.ddfs.push("t", files.slice(0, 1), { update: true });
    assert.deepEqual((await textsOf(kit, "t")).map(([, text]) => text).sort(), files);
  });

  it("takes paths, globs, named paths and named contents of every kind, and keeps their order", async () => {
    const kit = openKit();
    for (const name of ["b.txt", "a.txt", "übel.gz"]) await writeFile(join(directory, name), `contents of ${name}`);
    await mkdir(join(directory, "folder.txt"));
    const [version, blobs] = await kit.ddfs.push("tag://t", [
      join(directory, "*.txt"),
      [join(directory, "a.txt"), "named"],
      join(directory, "übel.gz"),
      { name: "text", data: "grüße" },
      { name: "bytes", data: new Uint8Array([65, 66]) },
      { name: "buffer", data: new TextEncoder().encode("C").buffer as ArrayBuffer },
      { name: "blob", data: new Blob(["x", "y"]) },
      { name: "stream", data: Readable.from([Buffer.from("str"), Buffer.from("eam")]), size: 6 },
      { name: "web", data: new Blob(["web"]).stream() },
      {
        name: "generator",
        data: (function* () {
          yield "piece ";
          yield Buffer.from("by piece");
        })(),
      },
      { name: "made", data: () => Readable.from(["made"]) },
      { name: "empty", data: "" },
    ]);
    assert.match(version[0] ?? "", /^disco:\/\/m\/ddfs\/vol0\/tag\/[0-9a-f]{2}\/t\$/);
    assert.deepEqual(await kit.ddfs.urls("t"), blobs);
    assert.deepEqual(await textsOf(kit, "t"), [
      ["a_txt", "contents of a.txt"],
      ["b_txt", "contents of b.txt"],
      ["named", "contents of a.txt"],
      ["_bel_gz", "contents of übel.gz"],
      ["text", "grüße"],
      ["bytes", "AB"],
      ["buffer", "C"],
      ["blob", "xy"],
      ["stream", "stream"],
      ["web", "web"],
      ["generator", "piece by piece"],
      ["made", "made"],
      ["empty", ""],
    ]);
  });

  it("names what is wrong with a file before anything is sent", async () => {
    const { ddfs, nodes } = openKit();
    await symlink("nowhere", join(directory, "broken"));
    const cases: [unknown, object][] = [
      [[], { code: "bad-option", message: /nothing to push/ }],
      [directory, { code: "is-directory", hint: /\/\*\*$/ }],
      [join(directory, "none"), { code: "no-such-file" }],
      [join(directory, "broken"), { code: "no-such-file" }],
      [join(directory, "*.none"), { code: "no-such-file", message: /no file matches/ }],
      ["-", { code: "no-such-file", hint: /process\.stdin/ }],
      ["http://a.example/x", { code: "bad-option", hint: /ddfs\.tag/ }],
      [[["a", "b", "c"]], { code: "bad-option", message: /^files\[0\]/ }],
      [[[join(directory, "*.txt"), "n"]], { code: "bad-option", message: /matches 2 files/ }],
      [[{ name: "a/b", data: "x" }], { code: "bad-name", hint: /"a_b"/ }],
      [[{ name: "../../x", data: "x" }], { code: "bad-name" }],
      [[{ name: "", data: "x" }], { code: "bad-name" }],
      [[{ name: "x", data: 5 }], { code: "bad-option", message: /^files\[0\]\.data: .* not 5/ }],
      [[{ name: "x", data: "abc", size: 2 }], { code: "bad-option", message: /data has 3 bytes/ }],
      [[{ name: "x", data: "x", siez: 2 }], { code: "bad-option" }],
      [[null], { code: "bad-option" }],
      [[{ name: "x", data: Readable.from([{}]) }], { code: "bad-data" }],
    ];
    for (const [files, error] of cases) await assert.rejects(ddfs.push("t", files as string), error, String(files));
    await assert.rejects(ddfs.push("a/b", "x"), { code: "bad-name" });
    await assert.rejects(ddfs.push("-", "x"), { code: "bad-name" });
    await assert.rejects(ddfs.push("t", "x", { replica: 1 } as object), {
      code: "unknown-option",
      message: /replicas/,
    });
    await assert.rejects(ddfs.push("t", "x", { replicas: 0 }), { code: "bad-option" });
    await assert.rejects(ddfs.push("t", { name: "x", data: "x" }, { replicas: 1, minReplicas: 2 }), {
      code: "bad-option",
    });
    await assert.rejects(ddfs.push("t", "x", { token: "not visible" }), {
      code: "bad-option",
      message: /^(?!.*visible\b.*not)/,
    });
    assert.equal(nodes.files.size, 0);
    assert.deepEqual(await ddfs.list(), []);
  });

  it("stores each blob on as many nodes as were asked for, where they were asked for", async () => {
    const { ddfs, nodes } = openKit(["a", "b", "c", "d"]);
    const bytes = randomBytes(100_000);
    const [, blobs] = await ddfs.push(
      "t",
      [0, 1, 2, 3, 4].map((i) => ({ name: `blob${i}`, data: Readable.from(chunksOf(bytes)) })),
      { replicas: 3, forceon: ["d"] },
    );
    for (const urls of blobs) {
      assert.equal(new Set(hostsOf(urls)).size, 3);
      assert.ok(hostsOf(urls).includes("d"));
    }
    assert.equal(nodes.files.size, 15);
    for (const stored of nodes.files.values()) assert.deepEqual(stored, bytes);
    await assert.rejects(ddfs.push("t", { name: "x", data: "x" }, { replicas: 5 }), { code: "not-enough-nodes" });
  });

  it("asks for other nodes when one fails, and leaves that one out", async () => {
    const { ddfs, nodes } = openKit();
    nodes.onChunk = (host, received) => {
      if (host === "b" && received > 3_000) throw down("b");
    };
    const bytes = randomBytes(20_000);
    const path = join(directory, "once-more");
    await writeFile(path, bytes);
    const [, blobs] = await ddfs.push("t", [path, { name: "s", data: Readable.from(chunksOf(bytes)) }], {
      replicas: 2,
    });
    for (const urls of blobs) assert.deepEqual(hostsOf(urls), ["a", "c"]);
    for await (const blob of ddfs.pull("t")) assert.deepEqual(Buffer.from(await blob.bytes()), bytes);
  });

  it("comes back to a node that failed for a moment when there is no other, and not to one that will not do better", async () => {
    const { ddfs, nodes } = openKit(["a"]);
    let failures = 3;
    nodes.onChunk = () => {
      if (failures-- > 0) throw down("a");
    };
    await ddfs.push("t", { name: "x", data: Readable.from(["abc"]) });
    assert.equal(nodes.begun.length, 4);
    nodes.onChunk = () => {
      throw down("a", "never");
    };
    await assert.rejects(ddfs.push("t", { name: "x", data: "abc" }), {
      code: "push-failed",
      message: /x could not be stored on enough nodes:\n {2}a: a is down\n {2}the master: 1 replica/,
      node: "a",
    });
    nodes.onChunk = () => {
      throw down("a");
    };
    nodes.begun.length = 0;
    await assert.rejects(ddfs.push("t", { name: "x", data: "abc" }, { retries: 2 }), { code: "push-failed" });
    assert.equal(nodes.begun.length, 3);
    assert.equal((await ddfs.urls("t")).length, 1);
  });

  it("accepts fewer replicas only when the caller says so", async () => {
    const { ddfs, nodes } = openKit(["a", "b"]);
    nodes.onChunk = (host) => {
      if (host === "b") throw down("b", "never");
    };
    const file = { name: "x", data: "abc" };
    await assert.rejects(ddfs.push("t", file, { replicas: 2 }), { code: "push-failed" });
    const [, [urls]] = await ddfs.push("t", file, { replicas: 2, minReplicas: 1 });
    assert.deepEqual(hostsOf(urls), ["a"]);
    // More than there are nodes.
    const [, [few]] = await ddfs.push("t", file, { replicas: 5, minReplicas: 1 });
    assert.deepEqual(hostsOf(few), ["a"]);
    nodes.onChunk = () => {};
    const [, [both]] = await ddfs.push("t", file, { replicas: 5, minReplicas: 1 });
    assert.deepEqual(hostsOf(both), ["a", "b"]);
  });

  it("takes no node's word for it: one that stored other bytes has failed", async () => {
    const { ddfs, nodes } = openKit();
    nodes.liars.add("a");
    nodes.liars.add("b");
    const [, blobs] = await ddfs.push("t", { name: "x", data: "abc" });
    assert.deepEqual(hostsOf(blobs[0]), ["c"]);
  });

  it("reads a long stream again from a node that has it, and says so when none has", async () => {
    const { ddfs, nodes } = openKit();
    const bytes = randomBytes(keptBytesMax + 100_000);
    const late = keptBytesMax + 50_000;
    let failing = "b";
    nodes.onChunk = (host, received) => {
      if (host === failing && received > late) throw down(host);
    };
    const stream = (): Readable => Readable.from(chunksOf(bytes, 64 * 1024));
    const [, blobs] = await ddfs.push("t", { name: "x", data: stream() }, { replicas: 2, forceon: ["b"] });
    assert.deepEqual(hostsOf(blobs[0]), ["a", "c"]);
    for await (const blob of ddfs.pull("t")) assert.ok(bytes.equals(await blob.bytes()));
    failing = "a";
    await assert.rejects(ddfs.push("t", { name: "x", data: stream() }, { forceon: ["a"] }), {
      code: "stream-lost",
      hint: /\(\) => openStream\(\)/,
    });
    await ddfs.push("t", { name: "x", data: stream }, { forceon: ["a"] });
    assert.equal((await ddfs.urls("t")).length, 2);
  });

  it("tags all of it or nothing", async () => {
    const { ddfs } = openKit();
    await ddfs.push("t", { name: "first", data: "1" });
    const broken = Readable.from(
      (function* () {
        yield "some";
        throw new TypeError("the pipe broke");
      })(),
    );
    const files = [
      { name: "good", data: "1" },
      { name: "bad", data: broken },
    ];
    await assert.rejects(ddfs.push("t", files), { name: "TypeError", message: "the pipe broke" });
    assert.equal((await ddfs.urls("t")).length, 1);
    await ddfs.push("t", [
      { name: "x", data: "1" },
      { name: "y", data: "2" },
    ]);
    assert.deepEqual(
      (await ddfs.urls("t")).map(([url]) => blobNameOf(url ?? "")),
      ["x", "y", "first"],
    );
  });

  it("refuses a file that changes while it is pushed, and a stream that is not as long as was said", async () => {
    const kit = openKit();
    const path = join(directory, "grows");
    await writeFile(path, "x".repeat(5_000));
    kit.nodes.onChunk = async (_host, received) => {
      if (received === 0) await writeFile(path, "x".repeat(9_000));
    };
    await assert.rejects(kit.ddfs.push("t", path), { code: "file-changed" });
    for (const size of [2, 4])
      await assert.rejects(kit.ddfs.push("t", { name: "s", data: Readable.from(["abc"]), size }), {
        code: "file-changed",
      });
    assert.equal(await kit.ddfs.exists("t"), false);
  });

  it("leaves out blobs whose names the tag has already when it updates", async () => {
    const kit = openKit();
    await kit.ddfs.push("t", [{ name: "x", data: "old" }]);
    await kit.ddfs.push(
      "t",
      [
        { name: "x", data: "new" },
        { name: "y", data: "new" },
      ],
      { update: true, delayed: true },
    );
    assert.deepEqual(await textsOf(kit, "t"), [
      ["y", "new"],
      ["x", "old"],
    ]);
  });

  it("does not upload for a tag that it may not change", async () => {
    const { ddfs, nodes } = openKit();
    await ddfs.push("t", { name: "x", data: "1" }, { token: "secret" });
    const stored = nodes.files.size;
    const file = { name: "y", data: "2" };
    await assert.rejects(ddfs.push("t", file), { code: "tag-unauthorized" });
    await assert.rejects(ddfs.push("t", file, { token: "wrong" }), { code: "tag-unauthorized" });
    assert.equal(nodes.files.size, stored);
    await ddfs.push("tag://secret@m/t", file);
    assert.equal((await ddfs.urls("t", { token: "secret" })).length, 2);
  });

  it("tells how far it is, and counts what is sent anew once", async () => {
    const { ddfs, nodes } = openKit();
    let failed = false;
    nodes.onChunk = (_host, received) => {
      if (received > 2_000 && !failed) {
        failed = true;
        throw down("it");
      }
    };
    const told: PushProgress[] = [];
    await ddfs.push(
      "t",
      [
        { name: "x", data: () => chunksOf(Buffer.alloc(10_000)), size: 10_000 },
        { name: "y", data: Buffer.alloc(500) },
      ],
      { progress: (progress) => void told.push(progress), concurrency: 1 },
    );
    assert.deepEqual(told.at(-1), {
      name: "y",
      bytes: 500,
      size: 500,
      isStored: true,
      blobs: 2,
      blobsTotal: 2,
      bytesSent: 10_500,
      bytesTotal: 10_500,
    });
    assert.ok(told.every(({ bytesSent }) => bytesSent <= 10_500));
    assert.ok(told.length > 10);
  });

  it("stops when it is aborted, and tags nothing", async () => {
    const { ddfs, nodes } = openKit();
    const abort = new AbortController();
    nodes.onChunk = (_host, received) => {
      if (received > 1_000) abort.abort(new Error("enough"));
    };
    const files = [1, 2, 3, 4, 5, 6].map((i) => ({
      name: `x${i}`,
      data: Readable.from(chunksOf(Buffer.alloc(9_000))),
    }));
    await assert.rejects(ddfs.push("t", files, { signal: abort.signal, concurrency: 2 }), /enough/);
    assert.equal(await ddfs.exists("t"), false);
    assert.ok(nodes.begun.length <= 3);
  });

  it("waits for no stream that gives nothing when it is aborted, or when another blob has failed", async () => {
    const { ddfs } = openKit();
    const silent = (): PassThrough => new PassThrough();
    const abort = new AbortController();
    const pushing = ddfs.push("t", { name: "x", data: silent() }, { signal: abort.signal });
    setImmediate(() => abort.abort(new Error("enough")));
    await assert.rejects(pushing, /enough/);
    const broken = Readable.from(
      (function* () {
        yield "some";
        throw new TypeError("the pipe broke");
      })(),
    );
    const files = [
      { name: "x", data: silent() },
      { name: "y", data: broken },
    ];
    await assert.rejects(ddfs.push("t", files), { message: "the pipe broke" });
    assert.equal(await ddfs.exists("t"), false);
  });
});
