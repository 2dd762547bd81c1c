import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { decodeJobPack, encodeJobPack } from "./jobpack.ts";
import { type HomeFile, readHome, readZip, writeZip } from "./jobpack-zip.ts";

const jobdict = { prefix: "count", owner: "me", worker: "w", pipeline: [["map", "split", false]], inputs: [] };
const parts = {
  jobdict,
  jobenvs: { A: "b" },
  files: { "a.txt": Buffer.from("hello") },
  jobdata: Buffer.from([1, 2, 3]),
};
const refusal = (message: RegExp) => ({ name: "JobError", code: "bad-jobpack", message });

describe("a job pack", () => {
  it("comes back as it was packed", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[\w.-]{1,20}$/).filter((name) => !/^\.+$/.test(name) && name !== "__proto__"),
          fc.uint8Array({ maxLength: 2000 }),
          { maxKeys: 5 },
        ),
        fc.dictionary(fc.string(), fc.string()),
        fc.uint8Array(),
        (files, jobenvs, jobdata) => {
          const distinct = Object.fromEntries(
            Object.entries(files).map(([name, bytes], index) => [`${index}${name}`, bytes]),
          );
          const pack = decodeJobPack(encodeJobPack({ jobdict, jobenvs, files: distinct, jobdata }));
          assert.equal(pack.version, 2);
          assert.deepEqual(pack.jobdict, jobdict);
          assert.deepEqual({ ...pack.jobenvs }, { ...jobenvs });
          assert.deepEqual(Buffer.from(pack.jobdata), Buffer.from(jobdata));
          const read = pack.files();
          assert.deepEqual([...read.keys()], Object.keys(distinct));
          for (const [name, bytes] of Object.entries(distinct))
            assert.deepEqual(Buffer.from(read.get(name) ?? []), Buffer.from(bytes));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("has Disco's header", () => {
    const bytes = Buffer.from(encodeJobPack({ ...parts, version: 2 }));
    assert.equal(bytes.readUInt32BE(0), 0xd5c00002);
    assert.equal(bytes.readUInt32BE(4), 128);
    assert.ok(bytes.subarray(20, 128).every((byte) => byte === 0));
    assert.deepEqual(JSON.parse(bytes.toString("utf8", 128, bytes.readUInt32BE(8))), jobdict);
  });

  it("is refused with a broken header, in Disco's words", () => {
    const bytes = Buffer.from(encodeJobPack(parts));
    const damaged = (change: (copy: Buffer) => void): Buffer => {
      const copy = Buffer.from(bytes);
      change(copy);
      return copy;
    };
    assert.throws(() => decodeJobPack(bytes.subarray(0, 100)), refusal(/^invalid header/));
    assert.throws(() => decodeJobPack(damaged((b) => b.writeUInt8(0, 0))), refusal(/^invalid header/));
    assert.throws(() => decodeJobPack(damaged((b) => b.writeUInt8(9, 3))), refusal(/version 9/));
    for (const [at, value] of [
      [4, 127],
      [8, 128],
      [8, 2 ** 31],
      [12, 129],
      [16, 0],
      [16, 2 ** 32 - 1],
    ] as const) {
      assert.throws(
        () => decodeJobPack(damaged((b) => b.writeUInt32BE(value, at))),
        refusal(/^invalid header|^invalid job/),
      );
    }
  });

  it("is refused without a required key or with a bad prefix", () => {
    const { inputs: _, ...without } = jobdict;
    assert.throws(
      () => decodeJobPack(encodeJobPack({ ...parts, jobdict: without })),
      refusal(/^missing key: "inputs"/),
    );
    assert.throws(() => decodeJobPack(encodeJobPack({ ...parts, version: 1 })), refusal(/^missing key: "input"/));
    for (const prefix of ["a/b", "a.b", "", 5]) {
      assert.throws(
        () => decodeJobPack(encodeJobPack({ ...parts, jobdict: { ...jobdict, prefix } })),
        refusal(/^invalid prefix/),
      );
    }
  });

  it("never crashes the reader, whatever its bytes", () => {
    const bytes = Buffer.from(encodeJobPack(parts));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(value, at);
        try {
          decodeJobPack(copy.subarray(0, length)).files();
        } catch (error) {
          assert.equal((error as { code: string }).code, "bad-jobpack");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the zip archive of a job pack", () => {
  it("keeps folders and permissions", () => {
    const contents = Buffer.from("#!/bin/sh\n");
    const zip = writeZip(
      new Map<string, HomeFile>([
        ["bin/run", { contents, mode: 0o755 }],
        ["lib/deep/a.py", { contents }],
        ["plain", contents],
      ]),
    );
    const files = [...readHome(zip)].map(([name, file]) => [
      name,
      file.mode,
      Buffer.from(file.contents).equals(contents),
    ]);
    assert.deepEqual(files, [
      ["bin/run", 0o755, true],
      ["lib/deep/a.py", 0o644, true],
      ["plain", 0o644, true],
    ]);
  });

  it("is refused when a name leaves the folder, read or written", () => {
    for (const name of ["../a", "/a", "a/../b", "a\\b", "c:a", "", ".", "a\0", "a//b", "a/"]) {
      if (name !== "a/") {
        assert.throws(() => readZip(zipOf(name, Buffer.from("x"))), refusal(/not an allowed name/), name);
      }
      assert.throws(() => writeZip(new Map([[name, Buffer.from("x")]])), refusal(/not an allowed name/), name);
    }
  });

  it("is not written when nodes would refuse it", () => {
    const x = Buffer.from("x");
    const refused: [Record<string, HomeFile>, RegExp][] = [
      [{ a: x, "a/b": x }, /"a\/b" is below a file/],
      [{ "a/b": x, a: x }, /"a" occurs twice/],
      [{ Read: x, read: x }, /"read" occurs twice/],
      [{ [`${"d/".repeat(600)}x`]: x }, /a name of 1201 bytes/],
      [{ a: { contents: x, mode: 0o4755 } }, /mode/],
      [{ a: { contents: x, mode: -1 } }, /mode/],
    ];
    for (const [files, message] of refused) {
      assert.throws(() => writeZip(new Map(Object.entries(files))), refusal(message));
    }
    const many = new Map(Array.from({ length: 20_001 }, (_, i) => [String(i), x]));
    assert.throws(() => writeZip(many), refusal(/20001 files, the limit is 20000/));
  });

  it("is refused when it has a link or bytes that are two files", () => {
    assert.throws(() => readZip(zipOf("a", Buffer.from("x"), { mode: 0o120777 })), refusal(/link/));
    // Two of the same contents would be one, but these are the same bytes of the archive.
    assert.throws(() => readZip(zipOf("a", Buffer.from("x"), { times: 2 })), refusal(/lies where something else does/));
  });

  it("is refused when it inflates to more than it says", () => {
    const bomb = Buffer.alloc(10_000_000);
    assert.throws(() => readZip(zipOf("a", bomb, { size: 10 })), refusal(/cannot be inflated/));
    assert.throws(() => readZip(zipOf("a", bomb, { size: 0xffff_ffff })), refusal(/ZIP64/));
    assert.throws(() => readZip(zipOf("a", bomb, { size: 0xffff_fffe })), refusal(/more than/));
  });

  it("is refused when a checksum is wrong", () => {
    assert.throws(() => readZip(zipOf("a", Buffer.from("hello"), { crc: 1 })), refusal(/checksum/));
  });

  it("may have folders when another client wrote it", () => {
    assert.deepEqual([...readZip(zipOf("lib/disco/core.py", Buffer.from("x"))).keys()], ["lib/disco/core.py"]);
  });
});

/** An archive that may lie. */
function zipOf(
  name: string,
  contents: Buffer,
  lies: { mode?: number; times?: number; size?: number; crc?: number } = {},
): Buffer {
  const encoded = Buffer.from(name);
  const data = deflateRawSync(contents);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(lies.crc ?? crc32(contents), 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(lies.size ?? contents.length, 18);
  fields.writeUInt16LE(encoded.length, 22);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((lies.mode ?? 0o100644) * 65536, 6);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, encoded, data]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), fields, rest, encoded]);
  const times = lies.times ?? 1;
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(times, 10);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, ...Array.from({ length: times }, () => central), end]);
}
