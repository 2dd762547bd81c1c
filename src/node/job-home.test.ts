import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeJobPack } from "../protocol/jobpack.ts";
import { dropFiles, openJobHome } from "./job-home.ts";
import { workerCommand } from "./worker-command.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-home-"));
after(() => rm(dataDir, { recursive: true, force: true }));

const jobdict = { prefix: "job", owner: "me", worker: "w", pipeline: [], inputs: [] };
const pack = (files: Record<string, Uint8Array>): Uint8Array =>
  encodeJobPack({ jobdict, jobenvs: {}, files, jobdata: new Uint8Array(0) });
const place = { dataDir, host: "localhost" };

test("a home holds the pack, written once, and the required files in the working directory", async () => {
  let fetched = 0;
  const bytes = pack({ "one.txt": Buffer.from("1"), "libtwo.so": Buffer.alloc(300_000, 2) });
  const fetchPack = (file: string): Promise<void> => {
    fetched++;
    return writeFile(file, bytes);
  };
  const home = await openJobHome({ ...place, job: "a@1", fetchPack });
  await openJobHome({ ...place, job: "a@1", fetchPack });
  assert.equal(fetched, 1);
  assert.ok(home.hasFiles);
  assert.deepEqual(await readFile(home.packFile), Buffer.from(bytes));
  assert.deepEqual((await readdir(home.workDir)).sort(), ["libtwo.so", "one.txt"]);
  assert.equal(await readFile(join(home.workDir, "one.txt"), "utf8"), "1");
});

test("a pack that does not come leaves no half file behind", async () => {
  const fetchPack = (): Promise<void> => Promise.reject(new Error("nobody there"));
  await assert.rejects(openJobHome({ ...place, job: "b@1", fetchPack }), { message: "nobody there" });
  const home = await openJobHome({ ...place, job: "b@1", fetchPack: (file) => writeFile(file, pack({})) });
  assert.equal(home.hasFiles, false);
});

test("dropping what is intermediate keeps results, their indexes and out-of-band values", async () => {
  const home = await openJobHome({
    ...place,
    job: "c@1",
    fetchPack: (file) => writeFile(file, pack({ x: Buffer.from("x") })),
  });
  const lasting = ["reduce-0-0.0a1b2c3d.results", "reduce-0-0.sums", "oob-1-0-0-0", "oob.json"];
  for (const name of [...lasting, "seg-map-w1.seg", "manifest-0-0.json", "scratch"])
    await writeFile(join(home.systemDir, name), "");
  await writeFile(join(dataDir, home.jobDir, "reduce-0-0.0.disco"), "");
  await dropFiles(dataDir, "localhost", "c@1", "intermediate");
  assert.deepEqual((await readdir(home.systemDir)).sort(), [...lasting].sort());
  assert.deepEqual((await readdir(join(dataDir, home.jobDir))).sort(), [".disco", "jobfile", "reduce-0-0.0.disco"]);
  await dropFiles(dataDir, "localhost", "c@1", "all");
  await dropFiles(dataDir, "localhost", "c@1", "all");
  await assert.rejects(readdir(join(dataDir, home.jobDir)), { code: "ENOENT" });
});

test("dropping what is intermediate takes the results that killed attempts left half-written", async () => {
  const fetchPack = (file: string): Promise<void> => writeFile(file, pack({}));
  const home = await openJobHome({ ...place, job: "d@1", fetchPack });
  const whole = ["map-0-1.0.disco", "map-10-0.0.out", "map-10-0.1.out"];
  const half = ["map-0-0.0.disco", "map-1-0.0.out", "map-1-0.1.out", "a-map-0-1.0.disco"];
  for (const name of [...whole, ...half, "notes-1-1.txt"]) await writeFile(join(dataDir, home.jobDir, name), "");
  const about = ["map-0-1.0a1b2c3d.results", "map-10-0.0a1b2c3d.results", "map-10-0.sums"];
  for (const name of [...about, "map-1-0.sums"]) await writeFile(join(home.systemDir, name), "");
  await dropFiles(dataDir, "localhost", "d@1", "intermediate");
  assert.deepEqual((await readdir(home.systemDir)).sort(), about);
  assert.deepEqual(
    (await readdir(join(dataDir, home.jobDir))).sort(),
    [".disco", "jobfile", ...whole, "notes-1-1.txt"].sort(),
  );
});

test("workers of a job with files find shared libraries there, and no worker inherits a debugger", () => {
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = "--inspect-brk=0 --no-warnings";
  try {
    const { env, execArgv } = workerCommand({ memoryLimitBytes: 512 * 1024 * 1024, libraryDir: "/job/work" });
    assert.equal(env["LD_LIBRARY_PATH"]?.split(":")[0], "/job/work");
    // A path with a colon would be two to the loader; the worker's working directory is the same place.
    const named = workerCommand({ memoryLimitBytes: 512 * 1024 * 1024, libraryDir: "/job@1:2:3/work" });
    assert.equal(named.env["LD_LIBRARY_PATH"]?.split(":")[0], ".");
    assert.equal(env["NODE_OPTIONS"], "--no-warnings");
    assert.ok(execArgv.includes("--max-old-space-size=384"));
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
  }
});
