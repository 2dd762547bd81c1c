import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { OutputRef } from "../../core/job/spec.ts";
import { formatIndex } from "../../schemes/dir.ts";
import { Peers } from "../fetch/peers.ts";
import { isOutputLost } from "./lost-outputs.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-lost-"));
after(() => rm(dataDir, { recursive: true, force: true }));

/** An index of one file of the node, and of one thing that is elsewhere. */
function indexOf(host: string): { ref: OutputRef; text: string; part: string } {
  const part = `${host}/00/job/part`;
  const text = formatIndex([
    { label: 0, url: `disco://${host}/disco/${part}`, size: 3 },
    { label: 1, url: "tag://somewhere", size: 3 },
  ]);
  const ref = { host, file: `${host}/00/job/.disco/map.results`, at: 0, length: text.length, digest: "d" };
  return { ref, text, part };
}

test("an output of this node is there as long as its index and its files are whole", async () => {
  const { ref, text, part } = indexOf("a");
  const isLost = (): Promise<boolean> => isOutputLost(ref, { host: "a", dataDir, peers: null });
  assert.equal(await isLost(), true);
  await mkdir(join(dataDir, "a/00/job/.disco"), { recursive: true });
  await writeFile(join(dataDir, ref.file), text);
  assert.equal(await isLost(), true);
  await writeFile(join(dataDir, part), "abc");
  assert.equal(await isLost(), false);
  await writeFile(join(dataDir, ref.file), text.slice(1));
  assert.equal(await isLost(), true);
});

test("an output of another node is asked for there", async () => {
  const { ref, text, part } = indexOf("b");
  const files = new Map([
    [`/disco/${ref.file}`, text],
    [`/disco/${part}`, "abc"],
  ]);
  const asked: string[] = [];
  const { peers, close } = await serving((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const contents = files.get(request.url ?? "");
    response.writeHead(contents === undefined ? 404 : 200, { "content-length": contents?.length ?? 0 });
    response.end(request.method === "GET" ? contents : undefined);
  });
  const isLost = (): Promise<boolean> => isOutputLost(ref, { host: "a", dataDir, peers });
  try {
    assert.equal(await isLost(), false);
    assert.deepEqual(asked, [`GET /disco/${ref.file} Bearer secret`, `HEAD /disco/${part} Bearer secret`]);
    files.set(`/disco/${part}`, "ab");
    assert.equal(await isLost(), true);
    files.clear();
    assert.equal(await isLost(), true);
  } finally {
    close();
  }
});

test("an output that names files of other nodes is lost with them, but not when their node does not say", async () => {
  const text = formatIndex([{ label: 0, url: "disco://b/disco/b/00/job/part", size: 3 }]);
  const ref = { host: "a", file: "a/00/job/.disco/passed.results", at: 0, length: text.length, digest: "d" };
  await mkdir(join(dataDir, "a/00/job/.disco"), { recursive: true });
  await writeFile(join(dataDir, ref.file), text);
  let status = 200;
  const { peers, close } = await serving((_, response) => response.writeHead(status, { "content-length": 3 }).end());
  try {
    for (const [answered, lost] of [
      [200, false],
      [404, true],
      [503, false],
    ] as const) {
      status = answered;
      assert.equal(await isOutputLost(ref, { host: "a", dataDir, peers }), lost, String(answered));
    }
  } finally {
    close();
  }
});

test("an address that leads out of the files of jobs is asked for nowhere, whatever a worker has written", async () => {
  const paths = ["b/../../api/v1/jobs", "b/00/job/..%2f..", "b/00/job/x?y#z", "../secret"];
  const text = formatIndex(paths.map((path) => ({ label: 0, url: `disco://b/disco/${path}`, size: 3 })));
  const ref = { host: "a", file: "a/00/job/.disco/up.results", at: 0, length: text.length, digest: "d" };
  await mkdir(join(dataDir, "a/00/job/.disco"), { recursive: true });
  await writeFile(join(dataDir, ref.file), text);
  const asked: (string | undefined)[] = [];
  const { peers, close } = await serving((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "content-length": 3 }).end();
  });
  try {
    assert.equal(await isOutputLost(ref, { host: "a", dataDir, peers }), false);
    assert.deepEqual(asked, ["/disco/b/00/job/..%252f..", "/disco/b/00/job/x%3Fy%23z"]);
  } finally {
    close();
  }
});

test("an output of a node that nobody reaches is lost, after a while in which it may come back", async () => {
  const { ref } = indexOf("c");
  let asked = 0;
  const urlOf = (): undefined => {
    asked++;
  };
  const peers = new Peers({ urlOf });
  try {
    assert.equal(await isOutputLost(ref, { host: "a", dataDir, peers, patienceMs: 20, retryDelayMs: 10 }), true);
    assert.ok(asked >= 2);
  } finally {
    peers.close();
  }
});

test("an output of another node cannot be had where there are no other nodes", async () => {
  assert.equal(await isOutputLost(indexOf("b").ref, { host: "a", dataDir, peers: null }), true);
});

async function serving(listener: RequestListener): Promise<{ peers: Peers; close: () => void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const peers = new Peers({ urlOf: () => `http://127.0.0.1:${port}`, token: "secret" });
  return {
    peers,
    close: () => {
      peers.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
