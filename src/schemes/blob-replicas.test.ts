import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { blobFile, sumFile } from "../blobs/volumes/layout.ts";
import { formatSum } from "../blobs/volumes/sum.ts";
import { DataError } from "../errors.ts";
import { replicaAddress } from "../protocol/ddfs/replica-address.ts";
import { openBlobReplicas } from "./blob-replicas.ts";
import { openUrl } from "./open.ts";
import { type ByteSource, lend } from "./scheme.ts";

/** A replica that gives these chunks, then fails, or ends. */
interface Replica {
  readonly chunks: readonly string[];
  readonly fails: boolean;
}

function sourceOf(url: string, { chunks, fails }: Replica): ByteSource {
  function* read(): Generator<Uint8Array, void> {
    for (const chunk of chunks) yield Buffer.from(chunk);
    if (fails) throw new DataError(`${url} broke off`, { url });
  }
  return {
    url,
    size: 0,
    [Symbol.iterator]: read,
    async *[Symbol.asyncIterator]() {
      yield* read();
    },
  };
}

const urls = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i}`);

function open(replicas: readonly Replica[]): ByteSource {
  return openBlobReplicas(urls(replicas.length), {}, (url) => sourceOf(url, replicas[Number(url.slice(1))] as Replica));
}

const read = (source: ByteSource): string => Buffer.concat([...source]).toString();

describe("a blob by its replicas", () => {
  it("goes on with the next one at the byte where one failed", async () => {
    const replicas = [
      { chunks: ["hel", "lo w"], fails: true },
      { chunks: [], fails: true },
      { chunks: ["h", "ello world", "!"], fails: false },
    ];
    assert.equal(read(open(replicas)), "hello world!");
    const chunks: Uint8Array[] = [];
    for await (const chunk of open(replicas)) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), "hello world!");
  });

  it("is not read on where replicas contradict each other, as it is not known which one is right", () => {
    const wrong = [
      { chunks: ["help"], fails: true },
      { chunks: ["hello"], fails: false },
    ];
    assert.throws(() => read(open(wrong)), {
      code: "blob-damaged",
      message: /r1 has not the bytes that r0 began with/,
    });
    const short = [
      { chunks: ["hello"], fails: true },
      { chunks: ["hell"], fails: false },
    ];
    assert.throws(() => read(open(short)), { code: "blob-damaged" });
  });

  it("says of each replica why it could not be read", () => {
    const none = [
      { chunks: ["a"], fails: true },
      { chunks: ["a", "b"], fails: true },
    ];
    assert.throws(() => read(open(none)), {
      code: "no-replica",
      message: /none of 2 replicas .*\n {2}r0 broke off\n {2}r1/,
    });
  });

  it("waits for no replica as long as there is another one", () => {
    const hasty: unknown[] = [];
    const source = openBlobReplicas(urls(3), {}, (url, context) => {
      hasty.push(context.isHasty ?? false);
      return sourceOf(url, { chunks: [], fails: url !== "r2" });
    });
    assert.equal(read(source), "");
    assert.deepEqual(hasty, [true, true, false]);
  });

  it("is the whole of a replica that was read to its end, or an error, whatever the others do", () => {
    const replica = fc.record({ chunks: fc.array(fc.constantFrom("a", "b", "ab", "")), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(replica, { minLength: 1, maxLength: 4 }), (replicas) => {
        let got: string;
        try {
          got = read(open(replicas));
        } catch (error) {
          assert.ok(error instanceof DataError);
          return;
        }
        assert.ok(replicas.some(({ chunks, fails }) => !fails && chunks.join("") === got));
      }),
    );
  });
});

describe("a blob of this node", () => {
  let dataDir = "";
  const object = "blob$703-6c142-1";
  const url = replicaAddress("here", "vol0", object);
  const bytes = Buffer.from("a small blob\n");
  const volume = (): string => join(dataDir, "ddfs", "vol0");

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "disco-blob-file-"));
    await mkdir(join(blobFile(volume(), object), ".."), { recursive: true });
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  async function store(contents: Uint8Array, of = bytes): Promise<void> {
    const digest = createHash("sha256").update(of).digest("hex");
    await writeFile(blobFile(volume(), object), contents);
    await writeFile(sumFile(volume(), object), formatSum({ digest, size: of.length }));
  }

  function source(told: string[] = []): ByteSource {
    return openUrl(url, { host: "here", dataDir, damaged: (damaged) => told.push(damaged) });
  }

  it("is read where its address says, in each way", async () => {
    const large = Buffer.alloc(1_000_000, "0123456789\n");
    for (const contents of [bytes, Buffer.alloc(0), large]) {
      await store(contents, contents);
      assert.equal(source().size, contents.length);
      assert.ok(Buffer.concat([...source()]).equals(contents));
      const copies: Buffer[] = [];
      for (const chunk of source()[lend]?.() ?? []) copies.push(Buffer.from(chunk));
      assert.ok(Buffer.concat(copies).equals(contents));
      const later: Uint8Array[] = [];
      for await (const chunk of source()) later.push(chunk);
      assert.ok(Buffer.concat(later).equals(contents));
    }
  });

  it("gives not one byte of a small blob of which a bit is not what was stored, and says so", async () => {
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Buffer.from(bytes);
      flipped[i] = (flipped[i] as number) ^ (1 << (i % 8));
      await store(flipped);
      const told: string[] = [];
      assert.throws(() => source(told)[Symbol.iterator]().next(), { code: "blob-damaged" });
      assert.deepEqual(told, [url]);
    }
    for (let length = 0; length < bytes.length; length++) {
      await store(bytes.subarray(0, length));
      assert.throws(() => source()[Symbol.iterator]().next(), { code: "blob-damaged" });
    }
    await store(Buffer.concat([bytes, Buffer.from("x")]));
    assert.throws(() => [...source()], { code: "blob-damaged" });
  });

  it("is not believed without its sum, and is absent without its file", async () => {
    await store(bytes);
    await writeFile(sumFile(volume(), object), "nonsense");
    assert.throws(() => source(), { code: "blob-damaged" });
    await rm(sumFile(volume(), object));
    assert.throws(() => source(), { code: "blob-damaged" });
    await rm(blobFile(volume(), object));
    assert.throws(() => source(), { code: "no-such-file" });
  });

  it("is another replica's where its own is damaged", async () => {
    await store(Buffer.from("a small blog\n"));
    const context = { host: "here", dataDir };
    const other = sourceOf("other", { chunks: [bytes.toString()], fails: false });
    const both = openBlobReplicas([url, "other"], context, (one) => (one === url ? openUrl(one, context) : other));
    assert.equal(read(both), bytes.toString());
  });
});
