/**
 * Jobs and DDFS on real processes: what they read lies on several nodes, and so does what they leave.
 *
 *   12 blobs, 3 replicas each, on 4 nodes ─▶ maps have begun ─▶ n1 is killed; of every blob all other replicas but one are deleted or
 *     damaged ─▶ the maps read on ─▶ the same bytes as before
 *   a job that saves its results ─▶ the leader is killed while it ends ─▶ ready, with the tag ─▶ two nodes are killed with their disks
 *     ─▶ results and out-of-band values are there
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Disco, type Job, resultIterator } from "disco-mapreduce";
import { parseBlobAddress } from "../../src/core/ddfs/names.ts";
import { resultsTag } from "../../src/core/job/saved-tags.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { gatedText, sums } from "./fixtures/gated-texts.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { digestOf } from "./stand-jobs.test-kit.ts";

const blobs = 12;
/** More than is read ahead over HTTP: 4 MiB. */
const linesOfBlob = 120_000;
const partitions = 3;

/** Of words that are the same for the same number. */
function textOf(blob: number): string {
  let state = blob + 1;
  let text = "";
  for (let i = 0; i < linesOfBlob; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += `${"w".repeat(1 + (state >>> 28))}${(state >>> 14) % 900} of${(state >>> 7) % 90} ${"in".padEnd(24, "x")}\n`;
  }
  return text;
}

function start(disco: Disco, folder: string, save: boolean): Promise<Job<string, number>> {
  mkdirSync(folder);
  return disco.newJob("over_tag", {
    input: "tag://texts",
    map: gatedText,
    reduce: sums,
    params: { folder },
    partitions,
    sort: true,
    save,
  });
}

function open(folder: string): void {
  writeFileSync(join(folder, "open-all"), "");
}

test("word count over a tag gives the same bytes when replicas go while it runs; saved results outlive master and nodes", {
  skip: skipWithoutNats(),
  timeout: 400_000,
}, async (t) => {
  await using stand = await ProcessStand.open({ servers: 1 });
  await using disco = stand.client();
  const { ddfs } = disco;
  await ddfs.push(
    "texts",
    Array.from({ length: blobs }, (_, i) => ({ name: `text${i}`, data: textOf(i) })),
    { replicas: 3 },
  );
  const { urls } = await ddfs.get("texts");
  assert.ok(urls.every((replicas) => new Set(replicas.map((url) => parseBlobAddress(url)?.host)).size === 3));
  const folder = (name: string): string => join(stand.folder, name);
  const first = await start(disco, folder("free"), false);
  open(folder("free"));
  const expected = await digestOf(await first.wait());
  const file = (url: string): string => {
    const { host = "", volume = "", object = "" } = parseBlobAddress(url) ?? {};
    return join(stand.disk(host), "node", "data", "ddfs", volume, "blob", url.split("/").at(-2) ?? "", object);
  };

  await t.test("maps run where their blobs are", async () => {
    const events: string[] = [];
    for await (const [, { message }] of first.events()) events.push(message);
    const placed = events.flatMap((text) => /^map:(\d+) assigned to (\w+)/.exec(text)?.slice(1, 3) ?? []);
    assert.equal(placed.length, 2 * blobs);
    let local = 0;
    for (let i = 0; i < placed.length; i += 2) {
      const replicas = urls[Number(placed[i])] ?? [];
      if (replicas.some((url) => parseBlobAddress(url)?.host === placed[i + 1])) local++;
    }
    assert.equal(local, blobs);
  });

  await t.test("replicas that are deleted, damaged or on a dead node change no byte", async () => {
    const job = await start(disco, folder("trouble"), false);
    await stand.until("maps have begun", () => readdirSync(folder("trouble")).length >= 4);
    await stand.node("n1").kill();
    for (const [i, replicas] of urls.entries()) {
      const left = replicas.filter((url) => parseBlobAddress(url)?.host !== "n1");
      for (const [j, url] of left.slice(0, -1).entries()) {
        if ((i + j) % 2 === 0) await rm(file(url));
        else {
          await chmod(file(url), 0o600);
          const bytes = await readFile(file(url));
          bytes[Math.floor((bytes.length * 2) / 3)] = 0;
          await writeFile(file(url), bytes);
        }
      }
    }
    open(folder("trouble"));
    assert.equal(await digestOf(await job.wait()), expected);
    await stand.restore();
  });

  await t.test("saved results are there after a takeover, and after two nodes are gone with their disks", async () => {
    const job = await start(disco, folder("saved"), true);
    open(folder("saved"));
    await stand.until("reduces run", async () => ((await job.jobinfo()).stages[1]?.tasks ?? 0) > 0);
    await stand.takeover();
    const results = await job.wait();
    assert.equal(results.length, 1);
    assert.ok(results[0]?.endsWith(resultsTag(job.name)));
    const tag = await ddfs.get(resultsTag(job.name));
    assert.equal(tag.urls.length, partitions);
    assert.ok(tag.urls.every((replicas) => replicas.length === 3));
    assert.equal(await digestOf(results), expected);
    const keys = await job.oobList();
    assert.equal(keys.length, blobs);
    await stand.restore();
    for (const host of ["n2", "n3"]) {
      await stand.node(host).kill();
      await rm(stand.disk(host), { recursive: true });
    }
    assert.equal(await digestOf(results), expected);
    for (const key of keys) assert.match(Buffer.from(await job.oobGet(key)).toString(), /^task \d+$/);
    await job.purge();
    assert.equal(
      (await resultIterator(results).toArray()).length,
      new Map(await resultIterator(results).toArray()).size,
    );
    assert.equal(await ddfs.exists(resultsTag(job.name)), true);
  });
});
