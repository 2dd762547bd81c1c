import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { measure } from "./measure.ts";

test("the simulation reports its figure where the folder is a link, as in a stand of the package", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "disco-p7-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(import.meta.dirname, "..", "sim"), join(folder, "sim"));
  const { report } = await measure<{ cpuMicrosPerDecision?: number }>([
    process.execPath,
    join(folder, "sim", "scale.ts"),
    ...["20", "2", "1"],
  ]);
  assert.ok(Number(report.cpuMicrosPerDecision) > 0, JSON.stringify(report));
});
