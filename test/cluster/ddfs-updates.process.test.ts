/**
 * Two processes change one tag 1,000 times each. Meanwhile garbage is collected without a pause, with a grace of two seconds, so that what
 * no tag names goes soon, and the master that leads is killed in the middle.
 *
 *   each client: a blob now and then ─▶ its link, and links to nothing, one at a time ─▶ a line for each that was acknowledged
 *
 * Afterwards: every link is there once; every blob that the tag names is there three times, and read; what no tag names is deleted.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DiscoError } from "../../src/errors.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { assertContents, collect, contents, findings, hostsOf, objectsWithoutTag } from "./ddfs-stand.test-kit.ts";
import { blobEvery, busyTag, contentsOfLinker, linksOfClient } from "./fixtures/linker.ts";
import { TestProcess } from "./process.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const graceSeconds = 2;
const clients = ["a", "b"];
const nodes = ["n1", "n2", "n3"];
const linker = fileURLToPath(new URL("fixtures/linker.ts", import.meta.url));

test("two processes change one tag 1,000 times each while garbage is collected and the leader is killed: nothing is lost or twice", {
  skip: skipWithoutNats(),
  timeout: 300_000,
}, async (t) => {
  const env = { DDFS_GC_GRACE: `${graceSeconds}s`, DDFS_LOST_AFTER: "10s" };
  await using stand = await ProcessStand.open({ servers: 1, nodes, env });
  await using disco = stand.client();
  const { ddfs } = disco;
  const api = await ddfs.api();
  // Blobs that are old when it begins, and stay all the time, with a tag and without.
  const settled = contents("settled", 10, 10_000);
  await ddfs.push("settled", settled);
  await ddfs.push("gone", contents("gone", 10, 10_000));
  await ddfs.delete("gone");

  const processes = clients.map(
    (name) =>
      new TestProcess({
        name: `client ${name}`,
        command: process.execPath,
        args: [linker, stand.masterUrls.join(","), name, join(stand.folder, `${name}.done`)],
      }),
  );
  let isOver = false;
  let collections = 0;
  const collecting = (async () => {
    while (!isOver) {
      try {
        await collect(stand, api);
        collections++;
      } catch (error) {
        // The leader went with its collection; the next one begins anew.
        if (!(error instanceof DiscoError)) throw error;
      }
    }
  })();
  try {
    await Promise.all(processes.map((client) => client.start(/half of them/)));
    await stand.takeover();
    await stand.restore();
    await Promise.all(processes.map((client) => client.printed(/all of them/)));
  } finally {
    isOver = true;
    await Promise.all(processes.map((client) => client.kill()));
    await collecting;
  }

  const acknowledged = await Promise.all(clients.map((name) => readFile(join(stand.folder, `${name}.done`), "utf8")));
  const done = acknowledged.flatMap((text) => text.trimEnd().split("\n"));
  assert.equal(done.length, clients.length * linksOfClient);
  const { urls } = await ddfs.get(busyTag);
  const links = urls.filter((blob) => blob[0]?.startsWith("raw://") === true).map((blob) => blob[0] ?? "");
  const blobs = urls.filter((blob) => blob[0]?.startsWith("disco://") === true);
  const expected = clients.flatMap((name) => contentsOfLinker(name));
  assert.equal(new Set(links).size, links.length, "links that are there twice");
  assert.deepEqual(links.toSorted(), done.filter((line) => line.startsWith("raw://")).toSorted());
  assert.equal(blobs.length, clients.length * (linksOfClient / blobEvery));
  await ddfs.put("blobs", blobs);
  await assertContents(ddfs, "blobs", expected);
  await assertContents(ddfs, "settled", settled);
  assert.ok(blobs.every((blob) => hostsOf(blob).size === 3));

  await stand.until("what no tag names is deleted", async () => {
    await collect(stand, api);
    const named = await Promise.all(["blobs", "settled"].map((tag) => ddfs.get(tag)));
    return (await objectsWithoutTag(stand, nodes, named)).length === 0;
  });
  assert.deepEqual(await findings(api), []);
  await assertContents(ddfs, "blobs", expected);
  await assertContents(ddfs, "settled", settled);
  t.diagnostic(`${collections} collections while ${done.length} links were made`);
  assert.ok(collections >= 5, `${collections} collections`);
});
