/**
 * Disks that forget. While clients pull and jobs read a tag, bits of replicas are turned over, and files cut, emptied or deleted, up to
 * two of three of each blob: nobody is given a wrong byte to the end, and when nobody touches them any more all are sound again.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { chmod, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { resultIterator } from "disco-mapreduce";
import { shuffled } from "../../src/client/ddfs/replica-reader.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { assertContents, collect, findings, hostsOf, type NamedContents, replicaFile } from "./ddfs-stand.test-kit.ts";
import { gatedText, sums } from "./fixtures/gated-texts.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const replicas = 3;
const rounds = 3;
const linesOfBlob = 4_000;
const damages = ["flip", "cut", "empty", "delete"] as const;

/** Each line has a word that no other blob has: what is missing, twice or wrong is seen in the counts. */
const texts: readonly NamedContents[] = Array.from({ length: 16 }, (_, i) => ({
  name: `text${i}`,
  data: Buffer.from(Array.from({ length: linesOfBlob }, (_word, j) => `all blob${i} word${j % 97}\n`).join("")),
}));

async function spoil(file: string, kind: (typeof damages)[number]): Promise<void> {
  if (kind === "delete") return await rm(file);
  await chmod(file, 0o600);
  const bytes = await readFile(file);
  if (kind !== "flip") return await truncate(file, kind === "cut" ? randomInt(1, bytes.length) : 0);
  const at = randomInt(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8));
  await writeFile(file, bytes);
}

test("replicas are damaged and deleted while clients and jobs read them: every byte is right, and all are mended", {
  skip: skipWithoutNats(),
  timeout: 300_000,
}, async (t) => {
  const env = { DDFS_LOST_AFTER: "2s" };
  await using stand = await ProcessStand.open({ servers: 1, masters: 1, env });
  await using disco = stand.client();
  const { ddfs } = disco;
  const api = await ddfs.api();
  await ddfs.push("texts", texts, { replicas });
  const folder = join(stand.folder, "open");
  mkdirSync(folder);
  writeFileSync(join(folder, "open-all"), "");
  const expected = new Map<string, number>([["all", texts.length * linesOfBlob]]);
  for (const { data } of texts)
    for (const word of data.toString().split(/\s/))
      if (word !== "all" && word !== "") expected.set(word, (expected.get(word) ?? 0) + 1);

  /** Whatever the tag mentions is there, and right. One replica too many is kept: nodes come and go. */
  const isSound = async (): Promise<boolean> => {
    const { urls } = await ddfs.get("texts");
    const right = new Map(texts.map(({ name, data }) => [name, data]));
    for (const blob of urls) {
      if (hostsOf(blob).size < replicas) return false;
      for (const url of blob) {
        const data = right.get(/([^/$]+)\$[^/]*$/.exec(url)?.[1] ?? "");
        const bytes = await readFile(replicaFile(stand, url)).catch(() => null);
        if (data === undefined || bytes?.equals(data) !== true) return false;
      }
    }
    return urls.length === texts.length;
  };
  assert.ok(await isSound());

  let spoilt = 0;
  for (let round = 1; round <= rounds; round++) {
    const { urls } = await ddfs.get("texts");
    const readers = [
      assertContents(ddfs, "texts", texts),
      (async () => {
        const job = await disco.newJob("count", {
          input: "tag://texts",
          map: gatedText,
          reduce: sums,
          params: { folder },
          partitions: 2,
          sort: true,
        });
        const counted = new Map(await resultIterator<string, number>(await job.wait()).toArray());
        assert.deepEqual(counted, expected);
        await job.purge();
      })(),
    ];
    for (const [i, blob] of urls.entries())
      for (const [j, url] of shuffled(blob)
        .slice(0, replicas - 1)
        .entries()) {
        await spoil(replicaFile(stand, url), damages[(i + j + round) % damages.length] ?? "flip");
        spoilt++;
        readers.push(...(j === 0 && i % 5 === 0 ? [assertContents(ddfs, "texts", texts)] : []));
      }
    await Promise.all(readers);
    // What nobody happened to read is found by reading all; a file that is gone by listing what there is.
    await api.scrubStart();
    await stand.until("all replicas are sound again", async () => {
      if ((await api.scrubStatus()).some(({ running }) => running)) return false;
      await collect(stand, api);
      return await isSound();
    });
    await assertContents(ddfs, "texts", texts);
  }

  // What the last scrub set aside, at most.
  assert.ok((await findings(api)).every(({ kind }) => kind === "damaged"));
  const told = (await stand.leader()).output.match(/a replica is damaged, and is kept aside/g)?.length ?? 0;
  assert.ok(told > 0, "no damage was told of");
  t.diagnostic(`${spoilt} replicas were damaged or deleted; the master was told of ${told} that were damaged`);
});
