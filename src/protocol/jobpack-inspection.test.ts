import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkForeignHome } from "./foreign-home.ts";
import { decodeJobPack, encodeJobPack, type JobPackParts } from "./jobpack.ts";
import { readDiscoDict } from "./jobpack-dict.ts";
import { inspectJobPack, type PackInspection } from "./jobpack-inspection.ts";

const jobdict = { prefix: "count", owner: "me", worker: "w", pipeline: [["map", "split", false]], inputs: [] };
const parts: JobPackParts = {
  jobdict,
  jobenvs: { A: "b" },
  files: { w: { contents: Buffer.from("#!/bin/sh\n"), mode: 0o755 }, "lib/a": Buffer.from("a") },
  jobdata: Buffer.from("data"),
};
const good = Buffer.from(encodeJobPack(parts));
const [dictAt = 0, envsAt = 0, homeAt = 0, dataAt = 0] = [4, 8, 12, 16].map((at) => good.readUInt32BE(at));

function changed(change: (copy: Buffer) => void): PackInspection {
  const copy = Buffer.from(good);
  change(copy);
  return inspectJobPack(copy);
}

function packed(others: Partial<JobPackParts>): PackInspection {
  return inspectJobPack(encodeJobPack({ ...parts, ...others }));
}

const told = ({ problems }: PackInspection): string[] =>
  problems.map(({ part, at, message }) => `${part} ${at} ${message}`);

/** Why nobody takes it. */
function refusalOf(bytes: Buffer): string | null {
  try {
    const { jobdict, version, files } = decodeJobPack(bytes);
    const { worker } = readDiscoDict(jobdict, version);
    checkForeignHome(
      [...files().keys()].map((name) => ({ name })),
      worker,
    );
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test("all of a sound pack is shown, and nothing is wrong", () => {
  const found = inspectJobPack(good);
  assert.deepEqual(found.problems, []);
  assert.equal(found.version, 2);
  assert.deepEqual(
    found.parts.map(({ name, at }) => [name, at]),
    [
      ["jobdict", dictAt],
      ["jobenvs", envsAt],
      ["jobhome", homeAt],
      ["jobdata", dataAt],
    ],
  );
  assert.equal(found.parts.at(-1)?.bytes, 4);
  assert.equal(found.job?.worker, "w");
  assert.deepEqual(
    found.files?.map(({ name, mode }) => [name, mode]),
    [
      ["w", 0o755],
      ["lib/a", 0o644],
    ],
  );
});

test("a part that lies where it cannot is named with its byte in the header, and the others are read", () => {
  const overlapping = changed((copy) => copy.writeUInt32BE(envsAt - 10, 12));
  assert.match(told(overlapping).join("\n"), /^header 12 the jobhome begins at byte \d+, before the jobenvs at \d+$/m);
  assert.equal(overlapping.job?.prefix, "count");
  const beyond = changed((copy) => copy.writeUInt32BE(2 ** 31, 16));
  assert.deepEqual(told(beyond).slice(0, 1), [
    `header 16 the jobdata begins at byte 2147483648, and the pack ends after ${good.length}`,
  ]);
  assert.deepEqual(beyond.jobenvs, { A: "b" });
  const shifted = changed((copy) => copy.writeUInt32BE(200, 4));
  assert.match(told(shifted)[0] ?? "", /^header 4 the jobdict begins at byte 200, and has to at 128$/);
});

test("what is no pack, or a version that nobody knows, is told from a broken one", () => {
  assert.deepEqual(told(inspectJobPack(Buffer.from("PK\x03\x04"))), [
    "header 0 this is not a job pack: it begins with 50 4b 03, job packs with d5 c0 00",
  ]);
  assert.match(told(inspectJobPack(Buffer.alloc(0)))[0] ?? "", /begins with nothing/);
  const newer = changed((copy) => copy.writeUInt8(3, 3));
  assert.deepEqual(told(newer), ["header 3 version 3 is not known, 1 and 2 are"]);
  assert.deepEqual(newer.jobdict, jobdict);
});

test("a pack that is cut off is shown as far as it goes", () => {
  assert.deepEqual(told(inspectJobPack(good.subarray(0, 10))), [
    "header 10 the pack ends in its header, after 10 of 128 bytes",
  ]);
  const cut = inspectJobPack(good.subarray(0, dataAt - 3));
  assert.equal(cut.job?.prefix, "count");
  assert.deepEqual(cut.jobenvs, { A: "b" });
  assert.deepEqual(told(cut), [
    `header 16 the jobdata begins at byte ${dataAt}, and the pack ends after ${dataAt - 3}`,
    `jobhome ${homeAt} invalid jobhome: it has no directory`,
  ]);
});

test("a job dict that no master takes is shown with its fault", () => {
  const cases: [Partial<JobPackParts>, RegExp][] = [
    [{ jobdict: { ...jobdict, pipeline: [["map", "by_moon", false]] } }, /invalid grouping "by_moon" in pipeline\[0\]/],
    [{ jobdict: { ...jobdict, pipeline: [1, 2].map(() => ["a", "split", false]) } }, /the stage "a" is repeated/],
    [{ version: 1 }, /missing key: "input"/],
    [{ jobdict: { ...jobdict, worker: "other" } }, /"other" is not among its 2 files/],
    [{ files: {} }, /"w" is not among its 0 files/],
    [{ files: { w: Buffer.from("echo\n") } }, /the worker "w" is no program: no #! and no ELF/],
    [{ jobenvs: { A: 1 } as never }, /"A" is not a string/],
  ];
  for (const [others, message] of cases) {
    const found = packed(others);
    assert.match(told(found).join("\n"), message);
    assert.equal(found.problems.length, 1, told(found).join("\n"));
    assert.deepEqual(found.jobdict, others.jobdict ?? jobdict);
  }
  const text = changed((copy) => copy.write("!", dictAt + 1));
  assert.match(told(text)[0] ?? "", /^jobdict 128 it is not JSON: .*position 1/);
  assert.equal(text.files?.length, 2);
});

test("files of a damaged archive are listed, with what is wrong with each", () => {
  // The first file is stored: its bytes lie behind its local header and its name.
  const damaged = changed((copy) => copy.write("X", homeAt + 30 + 1));
  assert.deepEqual(told(damaged), [`jobhome ${homeAt} invalid jobhome: "w" does not match its checksum`]);
  assert.equal(damaged.files?.length, 2);
  const directory = good.indexOf("PK\x01\x02", homeAt, "latin1");
  const escaping = changed((copy) => copy.write("/", directory + 46));
  assert.match(told(escaping)[0] ?? "", /"" is not an allowed name|"\/" is not an allowed name/);
  const other = changed((copy) => copy.write("\0", good.indexOf("PK\x01\x02", directory + 4, "latin1")));
  assert.deepEqual(
    other.files?.map(({ name }) => name),
    ["w"],
  );
  assert.match(told(other)[0] ?? "", /no entry at byte/);
});

test("an archive of more files than are allowed, or that is none, is a fault of the job home alone", () => {
  const files = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, Buffer.alloc(0)]));
  const many = Buffer.from(encodeJobPack({ ...parts, files, jobdict: { ...jobdict, worker: "f0" } }));
  many.writeUInt16LE(20_001, many.length - 4 - 12);
  const found = inspectJobPack(many);
  assert.deepEqual(
    told(found).map((text) => text.replace(/\d+/, "N")),
    ["jobhome N invalid jobhome: 20001 files, the limit is 20000"],
  );
  assert.equal(found.files, null);
  const none = changed((copy) => copy.fill(0x20, homeAt, dataAt));
  assert.match(told(none)[0] ?? "", /jobhome \d+ invalid jobhome: it has no directory/);
  assert.equal(none.job?.worker, "w");
});

test("it never throws, and finds fault with whatever a master refuses", () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
      const copy = Buffer.from(good);
      copy.writeUInt8(value, at);
      const bytes = copy.subarray(0, length);
      const { problems } = inspectJobPack(bytes);
      const refused = refusalOf(bytes);
      if (refused !== null) assert.ok(problems.length > 0, refused);
      else
        assert.deepEqual(
          problems.filter(({ message }) => !/is no program/.test(message)),
          [],
        );
    }),
    { numRuns: 1000 },
  );
});
