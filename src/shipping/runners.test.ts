import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const fixture = (path: string): string => fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url));

describe("functions that were loaded by tsx travel to plain Node", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-"));
  });
  after(() => rm(folder, { recursive: true }));

  for (const flavour of ["module", "commonjs"]) {
    for (const portable of [false, true]) {
      it(`from a ${flavour} script${portable ? ", for a node without its files" : ""}`, async () => {
        const file = join(folder, `${flavour}-${portable}`);
        const job = fixture(`tsx-${flavour}/job.ts`);
        await run(process.execPath, ["--import", "tsx", job, file, ...(portable ? ["portable"] : [])], {
          cwd: fileURLToPath(new URL("../..", import.meta.url)),
        });
        const { stdout } = await run(process.execPath, [fixture("run-shipment.ts"), file], { cwd: folder });
        const result = JSON.parse(stdout);
        assert.equal(result.map, "<x> 2 1 x! 2");
        assert.deepEqual(result.reduce, ["yRed"]);
        assert.equal(result.portable, portable);
        assert.deepEqual(result.failure.location, { file: job, line: 35, column: 13 });
        assert.match(result.failure.frame, /> 35 \| {7}throw new RangeError\(line \+ suffix\);/);
      });
    }
  }
});
