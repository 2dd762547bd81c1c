import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import { JobFiles } from "./job-files.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-job-files-"));
after(() => rm(dataDir, { recursive: true, force: true }));

test("packs wait for their node in memory, up to a limit, and the rest on disk", async () => {
  const files = new JobFiles(dataDir, 10);
  for (const job of ["a@1", "b@1"]) {
    assert.ok(files.claim(job));
    await files.writePack(job, new Uint8Array(6));
    await rm(join(dataDir, jobDirectory(masterHost, job)), { recursive: true });
  }
  assert.equal((await files.readPack("a@1")).byteLength, 6);
  await assert.rejects(files.readPack("b@1"), { code: "no-job-pack" });
  assert.ok(files.claim("c@1"));
  await files.writePack("c@1", new Uint8Array(10));
  await rm(join(dataDir, jobDirectory(masterHost, "c@1")), { recursive: true });
  assert.equal((await files.readPack("c@1")).byteLength, 10);
});
