import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readRequiredFiles, resolveRequiredModules } from "./required.ts";

describe("what a job takes along", () => {
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "disco-required-"));
    await mkdir(join(dir, "sub"));
    await writeFile(join(dir, "a.txt"), "a");
    await writeFile(join(dir, "sub", "a.txt"), "other");
    await writeFile(join(dir, "module.mjs"), "export {};");
  });

  after(() => rm(dir, { recursive: true, force: true }));

  it("are files, flat, from paths or as contents", () => {
    const files = readRequiredFiles([join(dir, "a.txt"), join(dir, "module.mjs")]);
    assert.deepEqual([...files.keys()], ["a.txt", "module.mjs"]);
    assert.equal(Buffer.from(files.get("a.txt") as Uint8Array).toString(), "a");
    const given = readRequiredFiles({ "b.txt": "é", "c.bin": new Uint8Array([1]) });
    assert.deepEqual([...(given.get("b.txt") as Uint8Array)], [...Buffer.from("é")]);
    assert.equal(readRequiredFiles().size, 0);
  });

  it("are refused when they are missing or have the same name", () => {
    assert.throws(() => readRequiredFiles([join(dir, "no.txt")]), { code: "no-such-file", message: /no\.txt/ });
    assert.throws(() => readRequiredFiles([dir]), { code: "no-such-file" });
    assert.throws(
      () => readRequiredFiles([join(dir, "a.txt"), join(dir, "sub", "a.txt")]),
      /two files are called a\.txt/,
    );
  });

  it("are modules, as the submitting script finds them", () => {
    assert.deepEqual(resolveRequiredModules(["node:fs", "path"]), ["node:fs", "path"]);
    const [path, installed] = resolveRequiredModules([join(dir, "module.mjs"), "commander"]);
    assert.match(path as string, /^file:.*module\.mjs$/);
    assert.match(installed as string, /^file:.*node_modules\/commander\//);
    assert.throws(() => resolveRequiredModules(["no-such-package-at-all"]), { code: "no-such-module" });
    assert.throws(() => resolveRequiredModules(["./no-such-file.mjs"]), { code: "no-such-module" });
  });
});
