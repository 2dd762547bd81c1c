import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { JobPackContents } from "./contents.ts";
import { JobPack } from "./pack.ts";

const folder = mkdtempSync(join(tmpdir(), "disco-pack-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const worker = "#!/bin/sh\nexit 1\n";
const jobdict = {
  prefix: "count",
  worker: "bin/work",
  pipeline: [["map", "split", false]],
  inputs: [[0, 0, ["raw://a"]]],
};
const contents = { jobdict, jobhome: { "bin/work": worker } } as unknown as JobPackContents;
/** As a program that is not type-checked may say it. */
const changed = (dict: object, others: object = {}): JobPackContents =>
  ({ ...contents, ...others, jobdict: { ...jobdict, ...dict } }) as unknown as JobPackContents;
const refusal = (message: RegExp) => ({ name: "JobError", code: "bad-jobpack", message });

describe("a job pack with a worker of its own", () => {
  it("comes back from a file as it was made", async () => {
    const file = join(folder, "job.pack");
    const pack = await JobPack.make({
      jobdict: { prefix: "count", owner: "me", worker: "./bin/work", pipeline: [["map", "split", false]], inputs: [] },
      jobenvs: { LANG: "C" },
      jobhome: new Map<string, string | Uint8Array | { contents: string; mode: number }>([
        ["bin/work", worker],
        ["lib/data.bin", Buffer.from([0, 255])],
        ["secret", { contents: "s", mode: 0o600 }],
      ]),
      jobdata: "for the worker",
    });
    await pack.write(file);
    const read = await JobPack.read(file);
    assert.deepEqual(read, pack);
    assert.equal(read.version, 2);
    assert.equal(read.worker, "./bin/work");
    assert.equal(read.jobdict["owner"], "me");
    assert.deepEqual({ ...read.jobenvs }, { LANG: "C" });
    const files = [...read.jobhome].map(([name, { contents: bytes, mode }]) => [
      name,
      Buffer.from(bytes).toString("latin1"),
      mode,
    ]);
    assert.deepEqual(files, [
      ["bin/work", worker, 0o755],
      ["lib/data.bin", "\0\xff", 0o644],
      ["secret", "s", 0o600],
    ]);
    assert.equal(Buffer.from(read.jobdata).toString(), "for the worker");
    assert.deepEqual(readFileSync(file), Buffer.from(read.bytes));
  });

  it("takes a folder as its job home, with the permissions that count", async () => {
    const home = join(folder, "home");
    mkdirSync(join(home, "lib", "empty"), { recursive: true });
    writeFileSync(join(home, "work"), worker);
    writeFileSync(join(home, "tool"), worker);
    chmodSync(join(home, "tool"), 0o700);
    writeFileSync(join(home, "lib", "a.txt"), "a");
    symlinkSync("lib/a.txt", join(home, "linked"));
    const pack = await JobPack.make({ ...changed({ worker: "work" }), jobhome: home });
    assert.deepEqual(
      [...pack.jobhome].map(([name, { mode }]) => [name, mode]),
      [
        ["lib/a.txt", 0o644],
        ["linked", 0o644],
        ["tool", 0o755],
        ["work", 0o755],
      ],
    );
    symlinkSync("lib", join(home, "out"));
    await assert.rejects(
      JobPack.make({ ...changed({ worker: "work" }), jobhome: home }),
      refusal(/out is a link to a folder/),
    );
    await assert.rejects(JobPack.make({ ...contents, jobhome: join(folder, "nowhere") }), { code: "no-such-file" });
  });

  it("of version 1 has Disco's keys", async () => {
    const pack = await JobPack.make({
      version: 1,
      jobdict: { prefix: "old", worker: "w", input: ["raw://a", ["raw://b", "raw://b"]], nr_reduces: 1, "map?": true },
      jobhome: { w: worker },
    });
    assert.equal(pack.version, 1);
    assert.deepEqual(Object.keys(pack.jobdict).toSorted(), [
      "input",
      "map?",
      "nr_reduces",
      "owner",
      "prefix",
      "scheduler",
      "worker",
    ]);
  });

  it("is not made when a master would refuse it, and the error names the culprit", async () => {
    const cases: [JobPackContents, RegExp][] = [
      [changed({ worker: "bin/other" }), /"bin\/other" is not among its 1 files/],
      [changed({}, { jobhome: {} }), /"bin\/work" is not among its 0 files/],
      [changed({ worker: "/bin/sh" }), /invalid worker: "\/bin\/sh"/],
      [changed({ worker: "../work" }), /invalid worker/],
      [changed({ pipeline: [["map", "group_by_moon", false]] }), /invalid grouping "group_by_moon" in pipeline\[0\]/],
      [
        changed({
          pipeline: [
            ["a", "split", false],
            ["a", "split", false],
          ],
        }),
        /pipeline\[1\]: the stage "a" is repeated/,
      ],
      [changed({ pipeline: [["map", "split"]] }), /\[stage, grouping, concurrent\] expected/],
      [changed({ inputs: [[0, 0, []]] }), /inputs\[0\]\[2\]: at least one address/],
      [changed({ inputs: undefined }), /missing key: "inputs"|invalid inputs/],
      [changed({ prefix: "a.b" }), /invalid prefix: "a.b"/],
      [changed({}, { jobenvs: { A: 1 } }), /invalid jobenvs: "A" is not a string/],
      [changed({}, { jobhome: { "bin/work": worker, "../x": "x" } }), /"..\/x" is not an allowed name/],
      [changed({}, { jobhome: { "bin/work": worker, jobfile: "x" } }), /"jobfile" would take the place/],
      [changed({}, { jobhome: { "bin/work": worker, "bin/work/x": "x" } }), /is below a file/],
      [changed({}, { jobhome: { "bin/work": 7 } }), /"bin\/work" is neither contents/],
      [changed({}, { jobdata: 7 }), /invalid jobdata/],
      [changed({}, { version: 3 }), /version 3 is not known/],
      [{ version: 1, jobdict: { prefix: "a", worker: "w" } } as unknown as JobPackContents, /missing key: "input"/],
    ];
    for (const [bad, message] of cases) await assert.rejects(JobPack.make(bad), refusal(message), String(message));
    const misspelt = changed({}, { jobHome: {} });
    await assert.rejects(JobPack.make(misspelt), { code: "unknown-option", message: /did you mean .*jobhome/ });
    const absent = changed({}, { jobhome: { "bin/work": { path: join(folder, "absent") } } });
    await assert.rejects(JobPack.make(absent), { code: "no-such-file", message: /"bin\/work".*absent/ });
  });

  it("is refused as a file that is none, or is cut off", async () => {
    const { bytes } = await JobPack.make(contents);
    await assert.rejects(JobPack.read(join(folder, "absent.pack")), { code: "no-such-file" });
    await assert.rejects(JobPack.read(folder), { code: "no-such-file" });
    await assert.rejects(JobPack.read(Buffer.from("hello")), refusal(/invalid header: 5 bytes/));
    for (let length = 0; length < bytes.length; length += 7) {
      await assert.rejects(
        JobPack.read(bytes.subarray(0, length)),
        refusal(/^invalid (?:header|job)/),
        `${length} bytes`,
      );
    }
  });

  it("is read as Python's zipfile writes it, and Python reads ours", (t) => {
    const python = pythonOf();
    if (python === null) return t.skip("there is no python3");
    return withPython(python);
  });
});

function pythonOf(): string | null {
  try {
    execFileSync("python3", ["-c", "import zipfile"], { stdio: "ignore" });
    return "python3";
  } catch {
    return null;
  }
}

/** What Disco's own client does: `ZipFile.writestr` and `write` into memory, deflated, offsets by `struct`. */
const packing = `
import io, json, struct, sys, zipfile
home = io.BytesIO()
with zipfile.ZipFile(home, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("lib/disco/__init__.py", "")
    z.writestr("lib/disco/wörker.py", "x = 1\\n" * 500)
    z.write(sys.argv[1], "bin/work")
    z.mkdir("empty") if hasattr(z, "mkdir") else None
dict_ = {"prefix": "py", "owner": "me", "worker": "bin/work", "pipeline": [["map", "split", False]], "inputs": []}
parts = [json.dumps(dict_).encode(), json.dumps({"PYTHONPATH": "lib"}).encode(), home.getvalue(), b"\\x80data"]
at, offsets = 128, []
for part in parts:
    offsets.append(at)
    at += len(part)
head = struct.pack("!IIIII", 0xd5c00002, *offsets)
sys.stdout.buffer.write(head + b"\\0" * (128 - len(head)) + b"".join(parts))
`;
const reading = `
import io, json, struct, sys, zipfile
pack = sys.stdin.buffer.read()
_, a, b, c, d = struct.unpack("!IIIII", pack[:20])
z = zipfile.ZipFile(io.BytesIO(pack[c:d]))
assert z.testzip() is None
print(json.dumps([json.loads(pack[a:b])["prefix"], json.loads(pack[b:c]), [[i.filename, i.external_attr >> 16 & 0o777, z.read(i).decode()] for i in z.infolist()], pack[d:].decode()]))
`;

async function withPython(python: string): Promise<void> {
  const program = join(folder, "program");
  writeFileSync(program, worker);
  chmodSync(program, 0o755);
  const pack = await JobPack.read(execFileSync(python, ["-c", packing, program]));
  assert.deepEqual([...pack.jobhome.keys()], ["lib/disco/__init__.py", "lib/disco/wörker.py", "bin/work"]);
  assert.equal(pack.jobhome.get("bin/work")?.mode, 0o755);
  assert.equal(pack.jobhome.get("lib/disco/wörker.py")?.contents.length, 3000);
  assert.deepEqual(Buffer.from(pack.jobdata), Buffer.from("\x80data", "latin1"));
  const ours = await JobPack.make({
    ...changed({}),
    jobenvs: { A: "é" },
    jobhome: { "bin/work": worker, "lib/ö.txt": "text".repeat(100) },
    jobdata: "data",
  });
  const told: unknown = JSON.parse(execFileSync(python, ["-c", reading], { input: ours.bytes, encoding: "utf8" }));
  assert.deepEqual(told, [
    "count",
    { A: "é" },
    [
      ["bin/work", 0o755, worker],
      ["lib/ö.txt", 0o644, "text".repeat(100)],
    ],
    "data",
  ]);
}
