import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeJobPack, jobSpecOf } from "../protocol/jobpack.ts";
import { csvReader } from "../worker/streams/csv.ts";
import { firstTasks } from "./first-tasks.ts";
import { makeJobPack } from "./job-pack.ts";

const map = (line: string) => [[line, 1]];

const cases: Readonly<Record<string, readonly [options: object, tasks: number]>> = {
  "by the default reader is read in parts": [{ map }, 3],
  "is read in parts after an init that does not look at it": [{ map, mapInit: () => {} }, 3],
  "is read in parts after an init that names its input as unused": [{ map, mapInit: (_lines: unknown) => {} }, 3],
  "is read as one when init may read its first lines": [
    { map, mapInit: (lines: Iterator<string>) => void lines.next() },
    1,
  ],
  "is read as one when init may read arguments of any number": [{ map, mapInit: (...all: unknown[]) => void all }, 1],
  "is read in parts, whatever init does, where the user says so": [
    { map, mapInit: (lines: unknown) => void lines, splitBytes: 64 * 1024 * 1024 },
    3,
  ],
  "by another reader is read as one": [{ map, mapReader: csvReader({ header: true }) }, 1],
  "of a pipeline is read as one when init may read it": [
    { pipeline: [{ map, init: (lines: unknown) => void lines }] },
    1,
  ],
};
for (const [name, [options, tasks]] of Object.entries(cases)) {
  test(`a large file ${name}`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "disco-splitting-"));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, "large");
    await writeFile(file, "");
    await truncate(file, 192 * 1024 * 1024);
    const pack = await makeJobPack({ ...options, input: [file] } as never, { portable: false, prefix: "large" });
    assert.equal(jobSpecOf(decodeJobPack(pack).jobdict)?.inputs.length, tasks);
    assert.equal(firstTasks({ ...options, input: [file] } as never), tasks, "as was expected at first glance");
  });
}
