/** Commands that take job packs, and what the library does with them. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Disco, JobPack, mapLineReader, resultIterator } from "../../src/index.ts";
import { shellWorker } from "../wire/shell-worker.test-kit.ts";
import { CommandPlace } from "./cli.test-kit.ts";

describe("commands that take job packs", () => {
  let place: CommandPlace;
  let bytes: Buffer;

  before(async () => {
    place = await CommandPlace.open({ shared: true });
    const pack = await JobPack.make({
      jobdict: {
        prefix: "count",
        owner: "me",
        worker: "bin/count",
        pipeline: [
          ["map", "split", false],
          ["reduce", "group_label", true],
        ],
        inputs: [[0, 0, ["raw://a b a", "raw://a b  a"]]],
        scheduler: { max_cores: 3 },
      },
      jobenvs: { LANG: "C", ODD: "a\x1b[2Jb" },
      jobhome: { "bin/count": "#!/bin/sh\nexit 1\n", "lib/words.txt": "a\nb\n" },
      jobdata: "12345",
    });
    bytes = Buffer.from(pack.bytes);
    await pack.write(join(place.folder, "count.pack"));
  });
  after(() => place.close());

  test("jobpack inspect shows what is in one", async () => {
    const { code, stdout, stderr } = await place.disco(["jobpack", "inspect", "count.pack"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^count\.pack\n {2}version 2, [\d,]+ bytes\n/);
    assert.match(stdout, /^ {2}jobdict +128 +\d+$/m);
    assert.match(stdout, /^ {2}jobdata +[\d,]+ +5$/m);
    assert.match(stdout, /^ {2}worker\tbin\/count$/m);
    assert.match(stdout, /^ {2}max_cores\t3$/m);
    assert.match(stdout, /^ {4}reduce group_label concurrent$/m);
    assert.match(stdout, /^ {4}raw:\/\/a b a or raw:\/\/a b {2}a$/m);
    assert.match(
      stdout,
      /^jobhome {2}2 files, 21 B\n +mode +bytes +file\n +755 +17 +bin\/count\n +644 +4 +lib\/words\.txt$/m,
    );
    assert.ok(stdout.includes("ODD\ta\\x1b[2Jb"), "no commands for a terminal");
    assert.doesNotMatch(stdout, /problem/);
  });

  test("jobpack inspect --json has the same", async () => {
    const { stdout } = await place.disco(["jobpack", "inspect", "count.pack", "--json"]);
    const found = JSON.parse(stdout) as Record<string, unknown>;
    const keys = ["file", "ok", "size", "version", "parts", "jobdict", "jobenvs", "files", "problems"];
    assert.deepEqual(Object.keys(found), keys);
    assert.deepEqual([found["ok"], found["version"], found["size"]], [true, 2, bytes.length]);
    assert.deepEqual((found["files"] as unknown[])[1], { name: "lib/words.txt", mode: "644", size: 4, storedSize: 4 });
    assert.equal((found["jobdict"] as Record<string, unknown>)["prefix"], "count");
  });

  test("jobpack inspect shows what can be read of a broken one, what is wrong and where", async () => {
    const broken = Buffer.from(bytes);
    broken.writeUInt32BE(2 ** 31, 16);
    broken.write("by_moon!!!!", broken.indexOf("group_label"));
    await writeFile(join(place.folder, "broken.pack"), broken);
    const { code, stdout } = await place.disco(["jobpack", "inspect", "broken.pack"]);
    assert.equal(code, 1);
    assert.match(stdout, /^ {2}prefix\tcount$/m);
    assert.match(
      stdout,
      /^ {2}header, at byte 16: the jobdata begins at byte 2147483648, and the pack ends after \d+$/m,
    );
    assert.match(stdout, /^ {2}jobdict, at byte 128: invalid grouping "by_moon!!!!" in pipeline\[1\]$/m);
    await place.write("text.pack", "hello");
    const none = await place.disco(["jobpack", "inspect", "text.pack", "--json"]);
    assert.equal(none.code, 1);
    const { ok, version, problems } = JSON.parse(none.stdout) as { ok: boolean; version: null; problems: object[] };
    assert.deepEqual([ok, version, problems.length], [false, null, 1]);
    const absent = await place.disco(["jobpack", "inspect", "absent.pack"]);
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /the job pack absent\.pack cannot be read/);
  });

  test("jobdict tells of a pack what it tells of a job", async () => {
    const { code, stdout } = await place.disco(["jobdict", "count.pack"]);
    assert.equal(code, 0);
    assert.match(stdout, /^count\.pack\n {2}version\t2\n/);
    const json = JSON.parse((await place.disco(["jobdict", "count.pack", "--json"])).stdout) as Record<string, unknown>;
    assert.deepEqual(json["requiredFiles"], ["bin/count", "lib/words.txt"]);
    const unknown = await place.disco(["jobdict", "absent.pack"]);
    assert.equal(unknown.code, 2);
  });

  test("a pack that no master takes is refused before anything starts, and the way to look at it is named", async () => {
    await writeFile(join(place.folder, "cut.pack"), bytes.subarray(0, 300));
    const cut = await place.disco(["submit-pack", "cut.pack"]);
    assert.equal(cut.code, 2);
    assert.match(cut.stderr, /cut\.pack: invalid header.*\n.*hint:.*`disco jobpack inspect cut\.pack`/);
    const absent = await place.disco(["submit-pack", "absent.pack", "--json"]);
    assert.equal(absent.code, 2);
    assert.equal((JSON.parse(absent.stdout) as { error: { code: string } }).error.code, "no-such-file");
    const changed = await place.refused(["run", "count.pack", "other.txt"]);
    assert.match(changed.stderr, /count\.pack is a job pack, which cannot be changed any more/);
  });

  test("without a master the job of a pack runs here, whoever its worker is, and its results are read as they are", async () => {
    const pipeline = [["map", "split", false]] as const;
    const pack = await JobPack.make({
      jobdict: { prefix: "shell", worker: shellWorker.name, pipeline, inputs: [[0, 0, ["raw://a"]]] },
      jobhome: { [shellWorker.name]: shellWorker.contents },
      jobenvs: { on_map: "out 0 lines 'b 1\na 2\n'" },
    });
    const file = join(place.folder, "shell.pack");
    await pack.write(file);
    const done = await place.disco(["submit-pack", "shell.pack", "--json", "--workers", "1"]);
    assert.equal(done.code, 0, done.stderr);
    const { ok, jobs } = JSON.parse(done.stdout) as { ok: boolean; jobs: { name: string; status: string }[] };
    assert.deepEqual([ok, jobs.map(({ status }) => status)], [true, ["ready"]]);
    const name = jobs[0]?.name ?? "";
    assert.match(name, /^shell@/);
    assert.equal((await place.disco(["cat", name])).stdout, "b 1\na 2\n");
    const head = await place.disco(["cat", name, "--head", "3"]);
    assert.equal(head.code, 2);
    assert.match(head.stderr, /--head 3 counts records/);
    const records = await place.disco(["cat", name, "--format", "tsv"]);
    assert.equal(records.code, 1);
    assert.match(records.stderr, /chainReader reads results of Disco's jobs in Disco's own format|ends in the middle/);

    await using disco = new Disco(undefined, { root: place.root, workers: 1 });
    const lines = resultIterator(await disco.jobinfo(name).then(({ results }) => results), { reader: mapLineReader });
    assert.deepEqual(await lines.toArray(), ["b 1", "a 2"]);
    assert.deepEqual(await JobPack.read(await disco.jobspec(name)), pack);
    await assert.rejects(disco.jobdict(name), { code: "bad-job-pack", hint: /JobPack\.read/ });
    await assert.rejects(disco.submitPack(pack.bytes.subarray(0, 200)), { code: "bad-jobpack" });
    const again = await disco.submitPack(file);
    assert.notEqual(again.name, name);
    assert.deepEqual(await resultIterator(await again.wait(), { reader: mapLineReader }).toArray(), ["b 1", "a 2"]);
  });
});
