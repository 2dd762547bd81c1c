import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { JobFiles } from "./job-files.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-job-files-"));
after(() => rm(dataDir, { recursive: true, force: true }));

test("a name is claimed once, and given up with all that lies under it", async () => {
  const files = new JobFiles(dataDir);
  assert.ok(files.claim("a@1"));
  assert.ok(!files.claim("a@1"));
  await files.writePack("a@1", new Uint8Array(6));
  await files.unclaim("a@1");
  await assert.rejects(files.readPack("a@1"), { code: "no-job-pack", job: "a@1" });
  assert.ok(files.claim("a@1"));
});

test("a pack is kept as it came, in memory or as a file, which is moved", async () => {
  const files = new JobFiles(dataDir);
  const upload = join(dataDir, "upload");
  await writeFile(upload, "the pack");
  assert.ok(files.claim("b@1"));
  const { ino } = await stat(upload);
  await files.adoptPack("b@1", upload);
  assert.equal((await stat(files.packFile("b@1"))).ino, ino);
  await assert.rejects(stat(upload), { code: "ENOENT" });
  assert.ok(files.claim("c@1"));
  await files.writePack("c@1", Buffer.from("the pack"));
  for (const job of ["b@1", "c@1"]) assert.equal(String(await files.readPack(job)), "the pack");
});
