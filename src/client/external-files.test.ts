import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { JobData } from "../protocol/job-data.ts";
import { decodeJobPack } from "../protocol/jobpack.ts";
import { decodeValue } from "../protocol/value.ts";
import { external } from "./external.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { makeJobPack } from "./job-pack.ts";

const folder = mkdtempSync(join(tmpdir(), "disco-programs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function packed(options: AnyJobOptions): Promise<{ stages: JobData["stages"]; files: Record<string, string> }> {
  const pack = await makeJobPack({ input: ["raw://x"], ...options }, { portable: false });
  const { jobdata, files } = await decodeJobPack(pack);
  const { stages } = decodeValue(jobdata) as JobData;
  return {
    stages,
    files: Object.fromEntries([...files()].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])),
  };
}

describe("external programs in a job pack", () => {
  it("lie flat among the required files, each once", async () => {
    const program = file("a/run", "program");
    const conf = file("a/conf", "conf", 0o644);
    const { stages, files } = await packed({
      map: external([program, conf]),
      reduce: external([program, conf], { values: "bytes" }),
      requiredFiles: { other: "other" },
      extParams: { ü: "12" },
    });
    assert.deepEqual(files, { run: "program", conf: "conf", other: "other" });
    const params = new Uint8Array(Buffer.from("10\n2 ü 2 12\n"));
    assert.deepEqual(
      stages.map((stage) => stage.external),
      [
        { program: "run", params, keys: "text", values: "text" },
        { program: "run", params, keys: "text", values: "bytes" },
      ],
    );
  });

  it("of one name have names of their own, where they are different programs", async () => {
    const first = file("b/run", "first");
    const second = file("c/run", "second");
    const flat = await packed({ map: external([first]), reduce: external([second]) });
    assert.deepEqual(flat.files, { run: "first", "reduce-run": "second" });
    assert.deepEqual(
      flat.stages.map((stage) => stage.external?.program),
      ["run", "reduce-run"],
    );
    const map = external([first]);
    const pipeline = [{ map }, { map: external([second]) }, { map }];
    const staged = await packed({ pipeline });
    assert.deepEqual(
      staged.stages.map((stage) => stage.external?.program),
      ["run", "pipeline-1-map-run", "run"],
    );
  });

  it("come with parameters in the form that was given", async () => {
    const map = external([file("d/run", "program")]);
    const cases: [AnyJobOptions["extParams"], string][] = [
      [undefined, "0\n"],
      ["", "0\n"],
      [{}, "0\n"],
      ["raw", "raw"],
      [Buffer.from("bytes"), "bytes"],
      [{ min: "2" }, "10\n3 min 1 2\n"],
      [{ "": "", "a b": "c\nd" }, "18\n0  0 \n3 a b 3 c\nd\n"],
    ];
    for (const [extParams, expected] of cases) {
      const { stages } = await packed({ map, ...(extParams === undefined ? {} : { extParams }) });
      assert.equal(Buffer.from(stages[0]?.external?.params ?? []).toString(), expected);
    }
  });

  it("that are missing, no files, not executable or of one name are refused before anything is sent", async () => {
    const program = file("c/run", "x");
    const plain = file("c/plain", "x", 0o644);
    const empty = file("c/empty", "");
    const other = file("d/plain", "other contents", 0o644);
    const cases: [readonly string[], string, RegExp][] = [
      [[join(folder, "none")], "no-such-file", /^map: external: .*none cannot be read: there is no such file/],
      [[program, join(folder, "none")], "no-such-file", /none cannot be read/],
      [[folder], "bad-option", /is a directory/],
      [[program, "/dev/null"], "bad-option", /\/dev\/null is no regular file/],
      [[plain], "bad-option", /c\/plain is not executable/],
      [[empty], "bad-option", /c\/empty is empty/],
      [[program, plain, other], "bad-option", /another file of the job is called plain as well/],
      [[program, ".."], "bad-option", /"\.\." is not the path of a file/],
    ];
    for (const [files, code, message] of cases) {
      await assert.rejects(packed({ map: external(files) }), { code, message });
    }
    const requiredFiles = { plain: "others" };
    await assert.rejects(packed({ map: external([program, plain]), requiredFiles }), {
      code: "bad-option",
      message: /another file of the job is called plain/,
    });
    assert.throws(() => external([]), { code: "bad-option" });
    assert.throws(() => external([program], { key: "bytes" } as never), /did you mean external: keys\?/);
    assert.throws(() => external([program], { keys: "json" as never }), /"text" or "bytes" was expected, not "json"/);
  });
});
