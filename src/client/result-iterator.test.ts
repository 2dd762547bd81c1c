import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeBlock } from "../protocol/block.ts";
import { mapLineReader } from "../worker/streams/lines.ts";
import { rememberRoot } from "./data-place.ts";
import { parseDir } from "./result-addresses.ts";
import { resultIterator } from "./result-iterator.ts";

type Pairs = [string, number][];

/** `count` pairs from number `from` on, as several blocks. */
function blocks(from: number, count: number, perBlock = 10): { bytes: Uint8Array; pairs: Pairs } {
  const pairs = Array.from({ length: count }, (_, i): [string, number] => [`key${from + i}`, from + i]);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i += perBlock) {
    const part = pairs.slice(i, i + perBlock);
    parts.push(
      encodeBlock(
        part.map(([key]) => key),
        part.map(([, value]) => value),
      ),
    );
  }
  return { bytes: Buffer.concat(parts), pairs };
}

describe("resultIterator", () => {
  const first = blocks(0, 25);
  const second = blocks(100, 15);
  let root: string;
  let home: string;
  let server: Server;
  let http: string;
  const job = "disco/localhost/ab/job@1:2:3";
  const index = `dir://localhost/${job}/.disco/reduce-0-0.results`;
  const other = `dir://localhost/${job}/.disco/reduce-1-0.results`;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-results-"));
    rememberRoot(root);
    home = join(root, "data", "localhost", "ab", "job@1:2:3");
    await mkdir(join(home, ".disco"), { recursive: true });
    await writeFile(join(home, "one"), first.bytes);
    await writeFile(join(home, "two"), second.bytes);
    await writeFile(join(home, "empty"), "");
    await writeFile(join(home, "cut"), first.bytes.subarray(0, first.bytes.length - 20));
    await writeFile(join(home, "text"), "a line\nanother\n");
    const entry = (label: number, file: string, size: number): string =>
      `${label} disco://localhost/${job}/${file} ${size}\n`;
    await writeFile(
      join(home, ".disco", "reduce-0-0.results"),
      entry(0, "one", first.bytes.length) + entry(1, "empty", 0),
    );
    await writeFile(join(home, ".disco", "reduce-1-0.results"), entry(2, "two", second.bytes.length));
    server = createServer((request, response) => {
      if (request.url !== "/one") return response.writeHead(404).end();
      return response.writeHead(200, { "content-length": first.bytes.length }).end(first.bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(root, { recursive: true, force: true });
  });

  it("gives the records behind all indexes, in order, and tells where it is", async () => {
    const seen: string[] = [];
    const records: unknown[] = [];
    for await (const record of resultIterator([index, other], { notifier: (url) => seen.push(url) }))
      records.push(record);
    assert.deepEqual(records, [...first.pairs, ...second.pairs]);
    assert.deepEqual(
      seen.map((url) => url.split("/").at(-1)),
      ["one", "empty", "two"],
    );
  });

  it("gives the same records synchronously and as an array, again and again", async () => {
    const results = resultIterator<string, number>([index, other]);
    assert.deepEqual([...results], [...first.pairs, ...second.pairs]);
    assert.deepEqual(await results.toArray(), [...results]);
    assert.deepEqual([...resultIterator(index)], first.pairs);
    assert.deepEqual([...resultIterator(["job@1:2:3", ["ready", [other]]])], second.pairs);
  });

  it("waits for a job", async () => {
    const handle = Object.create({ [Symbol.for("disco-mapreduce.job")]: true }) as { wait(): Promise<string[]> };
    handle.wait = async () => [other];
    assert.deepEqual(await resultIterator(handle as never).toArray(), second.pairs);
    assert.throws(() => [...resultIterator(handle as never)], { code: "bad-results" });
  });

  it("goes on with the next replica at the record where the last one failed", async () => {
    const file = (name: string): string => `disco://localhost/${job}/${name}`;
    const replicas = [[file("nothing"), file("cut"), file("one")], file("two")];
    const seen: string[] = [];
    const records = await resultIterator(replicas, {
      notifier: (url) => seen.push(url.split("/").at(-1) as string),
    }).toArray();
    assert.deepEqual(records, [...first.pairs, ...second.pairs]);
    assert.deepEqual(seen, ["nothing", "cut", "one", "two"]);
    assert.deepEqual([...resultIterator(replicas)], records);
    await assert.rejects(resultIterator([[file("nothing"), file("cut")]]).toArray(), /none of 2 replicas can be read/);
    await assert.rejects(resultIterator([file("cut")]).toArray(), { name: "DataError", code: "bad-block" });
  });

  it("reads results over HTTP, and names what is not there", async () => {
    assert.deepEqual(await resultIterator([`${http}/one`]).toArray(), first.pairs);
    assert.deepEqual(await resultIterator([[`${http}/nothing`, `${http}/one`]]).toArray(), first.pairs);
    await assert.rejects(resultIterator([`${http}/nothing`]).toArray(), /404/);
    assert.throws(() => [...resultIterator([`${http}/one`])], { code: "bad-results" });
  });

  it("reads other formats by the reader that it is given", async () => {
    const text = [`disco://localhost/${job}/text`];
    assert.deepEqual(await resultIterator(text, { reader: mapLineReader }).toArray(), ["a line", "another"]);
    const shout = function* (
      lines: Iterable<string>,
      _size: number,
      _url: string,
      params: { mark: string },
    ): Generator<string> {
      for (const line of lines) yield line.toUpperCase() + params.mark;
    };
    const options = { inputStream: [mapLineReader, shout] as const, params: { mark: "!" } };
    assert.deepEqual(await resultIterator(text, options).toArray(), ["A LINE!", "ANOTHER!"]);
    assert.deepEqual([...resultIterator(text, { reader: mapLineReader })], ["a line", "another"]);
    await assert.rejects(resultIterator(text).toArray(), { name: "DataError" });
  });

  it("can be left early, and asked for several records at once", async () => {
    for await (const [key] of resultIterator([index, other])) {
      assert.equal(key, "key0");
      break;
    }
    const iterator = resultIterator([other])[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 17 }, () => iterator.next()));
    assert.deepEqual(
      results.slice(0, 15).map(({ value }) => value),
      second.pairs,
    );
    assert.deepEqual(
      results.slice(15).map(({ done }) => done),
      [true, true],
    );
  });

  it("refuses what are no results, and unknown options", async () => {
    await assert.rejects(resultIterator(42 as never).toArray(), { code: "bad-results" });
    await assert.rejects(resultIterator([3] as never).toArray(), { code: "bad-results" });
    assert.throws(
      () => resultIterator([], { raeder: mapLineReader } as never),
      /did you mean resultIterator: reader\?/,
    );
    assert.throws(() => resultIterator([], { notifier: 3 } as never), { code: "bad-option" });
    const purged = "dir://localhost/disco/localhost/ab/job@9:9:9/.disco/x.results";
    await assert.rejects(resultIterator([purged]).toArray(), { code: "no-such-file", hint: /purged/ });
  });

  it("parseDir lists the files behind an index, all or those of a partition", async () => {
    assert.deepEqual(await parseDir(index), [`disco://localhost/${job}/one`, `disco://localhost/${job}/empty`]);
    assert.deepEqual(await parseDir(index, 1), [`disco://localhost/${job}/empty`]);
  });
});
