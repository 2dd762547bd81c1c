import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { encodeJobPack, readPackHeader } from "../protocol/jobpack.ts";
import { readPackSummary } from "../protocol/jobpack-file.ts";
import { type Lies, zipOf } from "../protocol/lying-zip.test-kit.ts";
import { placePack, unpackFiles } from "./pack-file.ts";

const directory = await mkdtemp(join(tmpdir(), "disco-pack-file-"));
after(() => rm(directory, { recursive: true, force: true }));

const jobdict = { prefix: "job", owner: "me", worker: "w", pipeline: [], inputs: [] };
let packs = 0;

async function unpack(pack: Uint8Array): Promise<string> {
  const place = join(directory, String(packs++));
  await mkdir(join(place, "work"), { recursive: true });
  await writeFile(join(place, "pack"), pack);
  const header = readPackHeader(Buffer.from(pack.subarray(0, 128)), pack.length);
  await unpackFiles(join(place, "pack"), header, join(place, "work"));
  return join(place, "work");
}

/** A pack whose archive is `zip`, whatever that is. */
function packWith(zip: Uint8Array): Buffer {
  const pack = Buffer.from(
    encodeJobPack({ jobdict, jobenvs: {}, files: { x: Buffer.from("x") }, jobdata: Buffer.alloc(0) }),
  );
  const homeAt = pack.readUInt32BE(12);
  pack.writeUInt32BE(homeAt + zip.length, 16);
  return Buffer.concat([pack.subarray(0, homeAt), zip, Buffer.from("jobdata")]);
}

async function summaryOf(pack: Uint8Array): Promise<unknown> {
  const file = join(directory, `summary-${packs++}`);
  await writeFile(file, pack);
  return await readPackSummary(file);
}

describe("the required files of a job pack", () => {
  it("are unpacked from file to file, whole, also empty ones, large ones and those in folders", async () => {
    const large = randomBytes(3_000_000);
    const files = { "a.txt": Buffer.from("hello"), empty: Buffer.alloc(0), large, zeros: Buffer.alloc(5_000_000) };
    const work = await unpack(encodeJobPack({ jobdict, jobenvs: {}, files, jobdata: randomBytes(100) }));
    assert.deepEqual((await readdir(work)).sort(), ["a.txt", "empty", "large", "zeros"]);
    for (const [name, contents] of Object.entries(files)) {
      assert.ok((await readFile(join(work, name))).equals(contents), name);
    }
    assert.equal((await stat(join(work, "a.txt"))).mode & 0o111, 0o111);
    const deep = await unpack(
      packWith(
        zipOf([
          ["lib/disco/core.py", Buffer.from("x")],
          ["lib/", Buffer.alloc(0)],
        ]),
      ),
    );
    assert.equal(await readFile(join(deep, "lib/disco/core.py"), "utf8"), "x");
  });

  it("are not there at all when one of them is not what the archive says (fault 88)", async () => {
    const bad: Lies[] = [{ crc: 1 }, { size: 4 }, { size: 6 }, { size: 100 }];
    for (const lies of bad) {
      await assert.rejects(unpack(packWith(zipOf([["a", Buffer.from("hello"), lies]]))), { code: "bad-jobpack" });
      assert.deepEqual(await readdir(join(directory, String(packs - 1), "work")), []);
    }
  });

  it("are refused as a whole before anything is unpacked (fault 88)", async () => {
    const x = Buffer.from("x");
    const many = zipOf([["a", x]]);
    many.writeUInt16LE(20_001, many.length - 12);
    const cases: readonly [string, Buffer, RegExp][] = [
      ["a name that leads out", zipOf([["../a", x]]), /not an allowed name/],
      ["an absolute name", zipOf([["/etc/a", x]]), /not an allowed name/],
      ["a name with a backslash", zipOf([["..\\a", x]]), /not an allowed name/],
      ["a name with NUL", zipOf([["a\0", x]]), /not an allowed name/],
      ["a symbolic link", zipOf([["a", x, { mode: 0o120777 }]]), /link or a special file/],
      ["a device", zipOf([["a", x, { mode: 0o060666 }]]), /link or a special file/],
      [
        "a name twice",
        zipOf([
          ["a", x],
          ["a", Buffer.from("y")],
        ]),
        /twice/,
      ],
      [
        "a name twice but for its case",
        zipOf([
          ["a", x],
          ["A", x],
        ]),
        /twice/,
      ],
      [
        "a file below a file",
        zipOf([
          ["a", x],
          ["a/b", x],
        ]),
        /below a file/,
      ],
      [
        "a file that is a folder, too",
        zipOf([
          ["a/b", x],
          ["a", x],
        ]),
        /twice/,
      ],
      ["more files than allowed", many, /20001 files/],
      ["more bytes than allowed", zipOf([["a", x, { size: 2 ** 30 + 1 }]]), /more than/],
      ["a bomb", zipOf([["a", Buffer.alloc(100_000), { size: 500_000_000 }]]), /cannot have/],
      [
        "entries that share their bytes",
        zipOf(
          [
            ["a", x],
            ["b", x],
          ],
          true,
        ),
        /where something else does/,
      ],
      ["encryption", zipOf([["a", x, { flags: 1 }]]), /encrypted/],
      ["another method", zipOf([["a", x, { method: 12 }]]), /method 12/],
      ["no archive", Buffer.from("no archive at all, but something else"), /no directory/],
      [
        "a directory elsewhere",
        (() => {
          const zip = zipOf([["a", x]]);
          zip.writeUInt32LE(0xffff_fff0, zip.length - 6);
          return zip;
        })(),
        /truncated/,
      ],
    ];
    for (const [name, zip, message] of cases) {
      await assert.rejects(summaryOf(packWith(zip)), { name: "JobError", code: "bad-jobpack", message }, name);
    }
    assert.ok(
      await summaryOf(
        packWith(
          zipOf([
            ["a", x],
            ["b/c", x],
          ]),
        ),
      ),
    );
  });

  it("are refused or come out as they were, whatever happened to the archive", async () => {
    const contents = Buffer.from("hello hello hello hello");
    const zip = zipOf([
      ["one", contents],
      ["two", contents],
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(zip.length - 1), fc.nat(255), async (at, value) => {
        const copy = Buffer.from(zip);
        copy.writeUInt8(value, at);
        let work: string;
        try {
          work = await unpack(packWith(copy));
        } catch (error) {
          assert.equal((error as { code: string }).code, "bad-jobpack", String(error));
          return;
        }
        for (const name of await readdir(work, { recursive: true })) {
          const file = join(work, name);
          if ((await stat(file)).isFile()) assert.ok((await readFile(file)).equals(contents));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("the master's copy of a job pack", () => {
  it("is the node's as well, under another name, and stays when the first one goes", async () => {
    const from = join(directory, "masters");
    const to = join(directory, "nodes");
    await writeFile(from, "pack");
    placePack(from, to);
    placePack(from, to);
    assert.equal((await stat(to)).ino, (await stat(from)).ino);
    await rm(from);
    assert.equal(await readFile(to, "utf8"), "pack");
    assert.throws(() => placePack(from, join(directory, "none")), { code: "ENOENT" });
  });
});
