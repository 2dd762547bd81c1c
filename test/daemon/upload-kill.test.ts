/** A daemon that is killed while blobs are uploaded: those that were acknowledged are there, of the others nothing is (fault 63). */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

const blobBytes = 2_000_000;

interface Upload {
  readonly url: string;
  readonly bytes: Buffer;
  /** Address of the replica, when it was acknowledged; `null`: the daemon was gone before. */
  readonly stored: Promise<string | null>;
  send(from: number, to: number): void;
}

async function begin(daemon: TestDaemon): Promise<Upload> {
  const [url = ""] = (await (await fetch(`${daemon.url}/ddfs/new_blob/data`)).json()) as string[];
  const bytes = randomBytes(blobBytes);
  const request = http.request(url, { method: "PUT", headers: { "content-length": blobBytes } });
  const stored = new Promise<string | null>((resolve) => {
    request.on("error", () => resolve(null));
    request.on("response", (answer) => {
      let said = "";
      answer.on("data", (chunk: Buffer) => (said += chunk.toString()));
      answer.on("end", () => resolve(answer.statusCode === 201 ? (JSON.parse(said) as string) : null));
      answer.on("error", () => resolve(null));
    });
  });
  return { url, bytes, stored, send: (from, to) => request.write(bytes.subarray(from, to)) };
}

async function filesOf(daemon: TestDaemon): Promise<string[]> {
  const folder = join(daemon.root, "data", "ddfs", "vol0", "blob");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test("blobs are whole or not there after a kill in the middle of uploads", { timeout: 120_000 }, async () => {
  await using daemon = await startDaemon();
  const uploads = await Promise.all(Array.from({ length: 12 }, () => begin(daemon)));
  const half = blobBytes / 2;
  for (const upload of uploads) upload.send(0, half);
  while ((await filesOf(daemon)).filter((name) => name.startsWith("!partial")).length < uploads.length)
    await passed(10);
  // A third of them ends, one at least for sure, the next third perhaps.
  const [first, ...others] = uploads;
  first?.send(half, blobBytes);
  assert.notEqual(await first?.stored, null);
  for (const upload of others.slice(0, 7)) upload.send(half, blobBytes);
  await passed(5);
  await daemon.kill();
  const acknowledged = await Promise.all(uploads.map(({ stored }) => stored));
  await daemon.start();
  const digests = new Map(uploads.map(({ url, bytes }) => [url.split("/").at(-1) ?? "", sha256(bytes)]));
  let there = 0;
  for (const [i, { url }] of uploads.entries()) {
    const object = url.split("/").at(-1) ?? "";
    const address =
      acknowledged[i] ?? `disco://localhost/ddfs/vol0/blob/${md5(decodeURIComponent(object)).slice(0, 2)}/${object}`;
    const answer = await fetch(daemon.url + new URL(address).pathname);
    if (acknowledged[i] !== null) assert.equal(answer.status, 200);
    if (answer.status !== 200) continue;
    there++;
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), digests.get(object));
  }
  assert.ok(there >= 1 && there <= 8, String(there));
  // What was left of the others is swept.
  while ((await filesOf(daemon)).some((name) => name.startsWith("!"))) await passed(20);
  assert.equal((await filesOf(daemon)).length, there * 2);
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
