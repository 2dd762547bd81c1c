import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { encodeJobPack, type JobPackParts } from "../../protocol/jobpack.ts";
import { type Member, zipOf } from "../../protocol/lying-zip.test-kit.ts";
import { dropFiles } from "../job-home.ts";
import { type ForeignHome, openForeignHome } from "./home.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-foreign-home-"));
after(() => rm(dataDir, { recursive: true, force: true }));

const jobdict = { prefix: "job", owner: "me", worker: "w", pipeline: [], inputs: [] };
const text = (contents: string): Buffer => Buffer.from(contents);
const pack = (files: JobPackParts["files"]): Uint8Array =>
  encodeJobPack({ jobdict, jobenvs: { PYTHONPATH: "lib" }, files, jobdata: text("data") });

/** A pack whose archive has these members, whatever they say. */
function packOf(members: readonly Member[]): Buffer {
  const bare = Buffer.from(pack({}));
  const homeAt = bare.readUInt32BE(12);
  const zip = zipOf(members);
  bare.writeUInt32BE(homeAt + zip.length, 16);
  return Buffer.concat([bare.subarray(0, homeAt), zip]);
}

let jobs = 0;
const newJob = (): string => `job@${jobs++}`;

function open(bytes: Uint8Array, job = newJob(), worker = "bin/w"): Promise<ForeignHome> {
  return openForeignHome({ dataDir, host: "n1", job, worker, fetchPack: (file) => writeFile(file, bytes) });
}

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o7777;

describe("the job home of a foreign worker", () => {
  it("is the job's directory itself, with the files in their folders, and a worker that can be run", async () => {
    const large = randomBytes(2_000_000);
    const home = await open(
      packOf([
        ["bin/w", text("#!/bin/sh\n"), { mode: 0o100644 }],
        ["bin/tool", text("tool"), { mode: 0o104777 }],
        ["lib/disco/core.py", text("core"), { mode: 0o100640 }],
        ["large", large, { mode: 0o400 }],
      ]),
    );
    assert.equal(home.workDir, join(dataDir, home.jobDir));
    assert.equal(home.workerFile, join(home.workDir, "bin/w"));
    assert.deepEqual(home.jobenvs, { PYTHONPATH: "lib" });
    assert.deepEqual((await readdir(home.workDir)).sort(), [".disco", ".jobhome", "bin", "jobfile", "large", "lib"]);
    assert.deepEqual(await readdir(home.systemDir), []);
    assert.ok((await readFile(join(home.workDir, "large"))).equals(large));
    assert.equal(await readFile(join(home.workDir, "lib/disco/core.py"), "utf8"), "core");
    const modes = ["bin/w", "bin/tool", "lib/disco/core.py", "large"].map((name) => modeOf(join(home.workDir, name)));
    // No bit that gives somebody's rights away; nothing that its user could not read and write.
    assert.deepEqual(await Promise.all(modes), [0o755, 0o755, 0o640, 0o600]);
  });

  it("has folders that nothing is in, and once what Disco's library packs twice", async () => {
    const members: Member[] = [
      ["bin/w", text("worker")],
      ["tmp/", Buffer.alloc(0), { mode: 0o040755 }],
      ["bin/w", text("worker")],
    ];
    const home = await open(packOf(members));
    assert.deepEqual(await readdir(join(home.workDir, "tmp")), []);
    assert.equal(await readFile(home.workerFile, "utf8"), "worker");
  });

  it("finds a worker whose path goes down and up again", async () => {
    const home = await open(pack({ "lib/w.py": text("x") }), newJob(), "bin/../lib/w.py");
    assert.equal(home.workerFile, join(home.workDir, "lib/w.py"));
  });

  it("is unpacked once, however many open it at once, and not again", async () => {
    const job = newJob();
    const bytes = pack({ "bin/w": text("x"), data: randomBytes(100_000) });
    let fetched = 0;
    const fetchPack = async (file: string): Promise<void> => {
      fetched += 1;
      await writeFile(file, bytes);
    };
    const once = { dataDir, host: "n1", job, worker: "bin/w", fetchPack };
    const homes = await Promise.all([openForeignHome(once), openForeignHome(once), openForeignHome(once)]);
    assert.equal(fetched, 1);
    const place = homes[0].workerFile;
    // What tasks did to their files stays, which shows that nothing was written over it.
    await writeFile(place, "changed by a task");
    await open(bytes, job);
    assert.equal(await readFile(place, "utf8"), "changed by a task");
  });

  it("is unpacked anew when the node was killed before all was there, or the machine has been started again", async () => {
    const job = newJob();
    const bytes = pack({ "bin/w": text("whole"), "lib/a": text("a") });
    const home = await open(bytes, job);
    for (const mark of [null, "of another boot"]) {
      await writeFile(home.workerFile, "half");
      await writeFile(join(home.workDir, "lib/output"), "a task's");
      await mkdir(join(home.systemDir, "unpacking"));
      await writeFile(join(home.systemDir, "unpacking", "0"), "half");
      if (mark === null) await rm(join(home.workDir, ".jobhome"));
      else await writeFile(join(home.workDir, ".jobhome"), mark);
      await open(bytes, job);
      assert.equal(await readFile(home.workerFile, "utf8"), "whole");
      assert.equal(await readFile(join(home.workDir, "lib/output"), "utf8"), "a task's");
      assert.deepEqual(await readdir(home.systemDir), []);
    }
  });

  const x = text("x");
  const refused: readonly [string, readonly Member[], RegExp][] = [
    ["a file that leads out", [["../a", x]], /not an allowed name/],
    ["an absolute path", [["/a", x]], /not an allowed name/],
    ["a link", [["a", x, { mode: 0o120777 }]], /link or a special file/],
    ["a name twice with other contents", [["bin/w", text("y")]], /occurs twice/],
    ["names that differ in case alone", [["BIN/W", x]], /occurs twice/],
    ["a file that is a folder as well", [["bin", x]], /occurs twice/],
    ["something in the pack's place", [["jobfile", x]], /would take the place/],
    ["something in the place of Disco's records", [[".Disco/a.results", x]], /would take the place/],
    ["a folder in their place", [[".disco/", Buffer.alloc(0)]], /would take the place/],
    ["a forged sign that all is there", [[".jobhome", x]], /would take the place/],
    ["a file that is not what it says", [["b", x, { crc: 1 }]], /checksum/],
    ["an encrypted file", [["b", x, { flags: 1 }]], /encrypted/],
  ];
  for (const [what, members, reason] of refused) {
    it(`is refused whole for ${what}`, async () => {
      const job = newJob();
      await assert.rejects(open(packOf([["bin/w", x], ...members]), job), { code: "bad-jobpack", message: reason });
      await assert.rejects(open(packOf([]), job), { code: "bad-jobpack", message: reason });
      const [hash = ""] = (await readdir(join(dataDir, "n1"))).filter((part) =>
        existsSync(join(dataDir, "n1", part, job)),
      );
      const home = join(dataDir, "n1", hash, job);
      assert.deepEqual((await readdir(home)).sort(), [".disco", "jobfile"]);
      assert.deepEqual(await readdir(join(home, ".disco")), []);
    });
  }

  it("is refused without a worker, with the remedy, and for one outside", async () => {
    await assert.rejects(open(pack({ "lib/w": x })), { code: "bad-jobpack", message: /no worker/, hint: /jobdict/ });
    for (const worker of ["", "/bin/w", "../w", "a/../../w", ".", "bin/"])
      await assert.rejects(open(pack({ "bin/w": x }), newJob(), worker), { code: "bad-jobpack" }, worker);
  });

  it("never has a file outside, whatever the archive is", async () => {
    const name = fc.stringMatching(/^[a./\\:-]{1,8}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(name, { maxLength: 4 }), async (names) => {
        const inner = await mkdtemp(join(dataDir, "property-"));
        const fetchPack = (file: string): Promise<void> =>
          writeFile(file, packOf([["w", x], ...names.map((one): Member => [one, x])]));
        await openForeignHome({ dataDir: inner, host: "n1", job: "j", worker: "w", fetchPack }).catch(() => null);
        assert.deepEqual(await readdir(inner), ["n1"]);
        const parts = await readdir(join(inner, "n1"));
        assert.equal(parts.length, 1);
        assert.deepEqual(await readdir(join(inner, "n1", parts[0] ?? "")), ["j"]);
        await rm(inner, { recursive: true });
      }),
      { numRuns: 50 },
    );
  });
});

describe("dropping the files of a foreign job", () => {
  it("keeps all that its tasks wrote until it is purged", async () => {
    const job = newJob();
    const home = await open(pack({ "bin/w": text("x") }), job);
    await mkdir(join(home.workDir, "work"));
    const own = ["part-0-1.0.out", "work/a", ".disco/map-3-1700000000.results", ".disco/notes"];
    for (const name of own) await writeFile(join(home.workDir, name), "");
    await dropFiles(dataDir, "n1", job, "intermediate");
    for (const name of own) assert.ok(existsSync(join(home.workDir, name)), name);
    await dropFiles(dataDir, "n1", job, "all");
    assert.ok(!existsSync(home.workDir));
  });
});
