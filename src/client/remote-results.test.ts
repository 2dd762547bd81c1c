/** Results on another machine: a data server in this process, whose data directory is none that the client knows. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createDataServer } from "../node/data-server/data-server.ts";
import { jobDirectory } from "../node/job-directory.ts";
import { encodeBlock } from "../protocol/block.ts";
import { checksumsFile, formatChecksums, indexFile } from "../protocol/checksums.ts";
import { formatIndex } from "../schemes/dir.ts";
import { mapLineReader } from "../worker/streams/lines.ts";
import { resolveInputs } from "./inputs.ts";
import { parseDir } from "./result-addresses.ts";
import { resultIterator } from "./result-iterator.ts";
import { addressAt, rememberServer } from "./servers.ts";

const root = await mkdtemp(join(tmpdir(), "disco-remote-results-"));
const dataDir = join(root, "data");
const job = "count@6a1:2:3";
const home = jobDirectory("localhost", job);
const pairs = Array.from({ length: 30_000 }, (_, i): [string, number] => [`key ${i}`, i]);
const token = "a-secret-token";

let server: http.Server;
let at = "";
let index = "";
/** Instead of the data server, for a request. */
let override: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
const seen: { url: string; authorization: string | undefined; range: string | undefined }[] = [];

async function put(path: string, contents: string | Uint8Array): Promise<void> {
  const file = join(dataDir, home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, contents);
}

/** As a node does it: its own name, no port. */
async function putIndex(attempt: string, files: readonly (readonly [string, number])[]): Promise<string> {
  const entries = files.map(([file, size], label) => ({ label, url: `disco://localhost/disco/${home}/${file}`, size }));
  const text = formatIndex(entries);
  await put(indexFile(attempt, text), text);
  return `dir://localhost/disco/${home}/${indexFile(attempt, text)}`;
}

function listen(one: http.Server): Promise<string> {
  return new Promise((resolve) =>
    one.listen(0, "127.0.0.1", () => resolve(`127.0.0.1:${(one.address() as AddressInfo).port}`)),
  );
}

before(async () => {
  const blocks = Array.from({ length: 30 }, (_, i) => pairs.slice(i * 1000, (i + 1) * 1000)).map((part) =>
    encodeBlock(
      part.map(([key]) => key),
      part.map(([, value]) => value),
    ),
  );
  const bytes = Buffer.concat(blocks);
  await put("reduce-0-0.0.disco", bytes);
  await put("reduce-1-0.0.out", "a line\nanother\n");
  const digest = createHash("sha256").update("a line\nanother\n").digest("hex");
  await put(checksumsFile("reduce-1-0"), formatChecksums([{ file: "reduce-1-0.0.out", digest }]));
  index = await putIndex("reduce-0-0", [["reduce-0-0.0.disco", bytes.length]]);
  const data = createDataServer({ dataDir, host: "localhost" });
  server = http.createServer((request, response) => {
    const { authorization, range } = request.headers;
    seen.push({ url: request.url ?? "", authorization, range });
    if (override?.(request, response) === true) return;
    data(request, response).catch(() => response.destroy());
  });
  at = await listen(server);
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true, force: true });
});

beforeEach(() => {
  seen.length = 0;
});

afterEach(() => {
  override = null;
  rememberServer(at);
  delete process.env["DISCO_PROXY"];
  delete process.env["DISCO_TOKEN"];
});

describe("results on another machine", () => {
  it("are read over HTTP, from where the master was reached and not from where the node thinks that it is", async () => {
    const address = addressAt(at, index);
    assert.equal(address, index.replace("localhost", at));
    assert.deepEqual(await resultIterator([address]).toArray(), pairs);
    assert.deepEqual(await parseDir(address), [`disco://${at}/disco/${home}/reduce-0-0.0.disco`]);
    assert.equal(addressAt(at, "dir://node7:1/disco/node7/x"), "dir://node7:1/disco/node7/x");
    assert.equal(addressAt(at, "http://a/b"), "http://a/b");
  });

  it("are inputs of jobs by the addresses under which they were found, at the node that has them", async () => {
    const { specs, partitioned } = await resolveInputs({ input: [addressAt(at, index)], hasMap: true, splitBytes: 0 });
    assert.ok(partitioned);
    assert.deepEqual(specs[0]?.replicas, [`disco://${at}/disco/${home}/reduce-0-0.0.disco`]);
    assert.deepEqual(specs[0]?.hosts, ["localhost"]);
  });

  it("cannot be read synchronously, and say so before anything waits", () => {
    assert.throws(() => [...resultIterator([addressAt(at, index)])], { code: "bad-results" });
    assert.equal(seen.length, 0);
  });

  it("are asked for from the byte on at which a connection was cut (fault 51)", async () => {
    let cuts = 0;
    override = (request, response) => {
      if (!request.url?.endsWith(".disco") || cuts >= 2) return false;
      cuts++;
      response.on("pipe", () => undefined);
      const write = response.write.bind(response) as (chunk: Uint8Array, callback?: () => void) => boolean;
      response.write = ((chunk: Uint8Array) => write(chunk.subarray(0, 50_000), () => response.destroy())) as never;
      return false;
    };
    assert.deepEqual(await resultIterator([addressAt(at, index)]).toArray(), pairs);
    assert.deepEqual(
      seen.slice(1).map(({ range }) => range),
      [undefined, "bytes=50000-", "bytes=100000-"],
    );
  });

  it("that were purged are said to be so, also while they are read", async () => {
    const purged = addressAt(at, index).replace("reduce-0-0", "reduce-9-0");
    await assert.rejects(resultIterator([purged]).toArray(), {
      name: "DataError",
      code: "no-such-file",
      hint: /purged/,
    });
    override = (request, response) => {
      if (!request.url?.endsWith(".disco")) return false;
      response.writeHead(404).end("Not found.");
      return true;
    };
    await assert.rejects(resultIterator([addressAt(at, index)]).toArray(), {
      name: "DataError",
      code: "not-found",
      hint: /purged, perhaps while its results were read/,
    });
  });
});

describe("damage to results on another machine", () => {
  it("is found in blocks by their checksums", async () => {
    const block = Buffer.from(encodeBlock(["a", "b"], [1, 2]));
    block.writeUInt8(block.readUInt8(40) ^ 1, 40);
    await put("reduce-2-0.0.disco", block);
    const address = addressAt(at, await putIndex("reduce-2-0", [["reduce-2-0.0.disco", block.length]]));
    await assert.rejects(resultIterator([address]).toArray(), { name: "DataError", code: "bad-block" });
  });

  it("is found in a user's format by the digest that the task left, wherever a bit flipped", async () => {
    const size = "a line\nanother\n".length;
    const address = addressAt(at, await putIndex("reduce-1-0", [["reduce-1-0.0.out", size]]));
    const lines = (): Promise<string[]> => resultIterator<string>([address], { reader: mapLineReader }).toArray();
    assert.deepEqual(await lines(), ["a line", "another"]);
    await put("reduce-1-0.0.out", "a line\nAnother\n");
    await assert.rejects(lines(), { name: "DataError", code: "bad-digest" });
  });

  it("is found in an index by the checksum in its name", async () => {
    const address = await putIndex("reduce-3-0", [
      ["one", 1],
      ["two", 2],
    ]);
    await put(address.slice(address.indexOf(".disco/")), `0 disco://localhost/disco/${home}/one 1\n`);
    await assert.rejects(resultIterator([addressAt(at, address)]).toArray(), { name: "DataError", code: "bad-index" });
  });

  it("is never parsed: an error page with status 200, another length, what no length was announced for (fault 53)", async () => {
    const lines = ["never", "data"];
    const whole = "never\ndata\n";
    await put("reduce-4-0.0.out", whole);
    const address = addressAt(at, await putIndex("reduce-4-0", [["reduce-4-0.0.out", whole.length]]));
    const read = (): Promise<string[]> => {
      lines.length = 0;
      return resultIterator<string>([address], {
        reader: async function* (stream) {
          const chunks = stream as unknown as AsyncIterable<Uint8Array>;
          for await (const chunk of chunks) {
            lines.push(String(chunk));
            yield String(chunk);
          }
        },
      }).toArray();
    };
    const answers: [string, (response: ServerResponse) => void][] = [
      ["not-a-file", (response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Sorry</h1>")],
      ["bad-length", (response) => response.writeHead(200, { "content-length": 5 }).end("sorry")],
      ["bad-status", (response) => response.writeHead(400).end("sorry")],
    ];
    for (const [code, answer] of answers) {
      override = (request, response) => {
        if (!request.url?.endsWith(".out")) return false;
        answer(response);
        return true;
      };
      await assert.rejects(read(), { name: "DataError", code }, code);
      assert.deepEqual(lines, [], code);
    }
    override = (request, response) => {
      if (!request.url?.endsWith(".out")) return false;
      response.write("sorry");
      response.end();
      return true;
    };
    await assert.rejects(read(), { name: "DataError", code: "bad-length" });
  });

  it("is a file that became another one while it was read: the two are never mixed (fault 80)", async () => {
    const first = Buffer.alloc(400_000, "first line\n");
    await put("changing", first);
    override = (request, response) => {
      if (!request.url?.endsWith("changing") || request.headers.range !== undefined) return false;
      const write = response.write.bind(response) as (chunk: Uint8Array, callback?: () => void) => boolean;
      const cut = (): void =>
        void put("changing", Buffer.alloc(400_000, "other line\n")).then(() => response.destroy());
      response.write = ((chunk: Uint8Array) => write(chunk.subarray(0, 50_000), cut)) as never;
      return false;
    };
    const changing = [`disco://${at}/disco/${home}/changing`];
    await assert.rejects(resultIterator(changing, { reader: mapLineReader }).toArray(), {
      name: "DataError",
      code: "input-changed",
    });
  });

  it("sends a reader to the next replica", async () => {
    const file = `disco://${at}/disco/${home}`;
    await put("damaged", Buffer.concat([encodeBlock(["key 0"], [0]), Buffer.from("no block at all, this is")]));
    const records = await resultIterator([[`${file}/gone`, `${file}/damaged`, `${file}/reduce-0-0.0.disco`]]).toArray();
    assert.deepEqual(records, pairs);
  });
});

describe("tokens", () => {
  it("are shown to the server that they are for, and to no other that an address leads to (fault 83)", async () => {
    const elsewhere: (string | undefined)[] = [];
    const other = http.createServer((request, response) => {
      elsewhere.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const otherAt = await listen(other);
    try {
      rememberServer(at, { token });
      override = ({ headers }, response) => {
        if (headers.authorization === `Bearer ${token}`) return false;
        response.writeHead(401).end();
        return true;
      };
      assert.deepEqual(await resultIterator([addressAt(at, index)]).toArray(), pairs);
      await assert.rejects(resultIterator([addressAt(otherAt, index)]).toArray(), { code: "no-such-file" });
      override = (_, response) => {
        response.writeHead(302, { location: `http://${otherAt}/x` }).end();
        return true;
      };
      await assert.rejects(resultIterator([addressAt(at, index)]).toArray(), { code: "no-such-file" });
      assert.deepEqual(elsewhere, [undefined, undefined]);
    } finally {
      other.close();
      other.closeAllConnections();
    }
  });

  it("that are missing or wrong are named, without being shown", async () => {
    rememberServer(at, { token: "wrong-token" });
    override = (_, response) => {
      response.writeHead(401).end();
      return true;
    };
    await assert.rejects(
      resultIterator([addressAt(at, index)]).toArray(),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "no-permission");
        assert.match(error.hint, /DISCO_TOKEN/);
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /wrong-token/);
        return true;
      },
    );
  });
});

describe("DISCO_PROXY", () => {
  it("is asked for everything that is not on this machine, with its token", async () => {
    process.env["DISCO_PROXY"] = `http://${at}`;
    process.env["DISCO_TOKEN"] = token;
    const unreachable = index.replace("dir://localhost", "dir://far.example:1");
    assert.deepEqual(await resultIterator([unreachable]).toArray(), pairs);
    assert.deepEqual(
      seen.map(({ url }) => url.replace(/[0-9a-f]{8}\.results/, "CRC.results")),
      [
        `/proxy/localhost/GET/disco/${home}/.disco/reduce-0-0.CRC.results`,
        `/proxy/localhost/GET/disco/${home}/reduce-0-0.0.disco`,
      ],
    );
    assert.deepEqual([...new Set(seen.map(({ authorization }) => authorization))], [`Bearer ${token}`]);
  });
});
