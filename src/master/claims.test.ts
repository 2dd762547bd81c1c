import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Claims } from "./claims.ts";
import { JobFiles } from "./job-files.ts";

test("a master that starts again deletes what it claimed and never recorded, and halves of uploads; jobs stay", async () => {
  const root = await mkdtemp(join(tmpdir(), "disco-claims-"));
  try {
    const incoming = join(root, "_incoming");
    const files = new JobFiles(root);
    const before = new Claims(incoming);
    await before.giveBack(() => false, files);
    for (const job of ["recorded@1", "lost@2"]) {
      files.claim(job);
      before.note(job);
    }
    await writeFile(join(incoming, "half"), "of an upload");
    await new Claims(incoming).giveBack((job) => job === "recorded@1", files);
    assert.equal(existsSync(dirname(files.packFile("recorded@1"))), true);
    assert.equal(existsSync(dirname(files.packFile("lost@2"))), false);
    assert.deepEqual(readdirSync(incoming), []);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
