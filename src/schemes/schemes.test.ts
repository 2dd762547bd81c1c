import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import type { DiscoError } from "../errors.ts";
import { formatIndex, parseIndex, readIndex, readIndexSync } from "./dir.ts";
import { openUrl } from "./open.ts";

let dir = "";
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "disco-schemes-"));
});
after(() => rm(dir, { recursive: true, force: true }));

const read = (url: string, context = {}): string => Buffer.concat([...openUrl(url, context)]).toString();

function fails(code: string, message: RegExp) {
  return (error: DiscoError) => {
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

test("raw:// is its own text, undecoded", async () => {
  assert.equal(read("raw://a b%20ü"), "a b%20ü");
  assert.equal(read("raw://"), "");
  assert.equal((await openUrl("raw://x", {})[Symbol.asyncIterator]().next()).value?.toString(), "x");
});

test("a local file is read by its path and by file://", async () => {
  const path = join(dir, "a file");
  await writeFile(path, "hello");
  assert.equal(read(path), "hello");
  assert.equal(read(pathToFileURL(path).href), "hello");
  assert.equal(openUrl(path, {}).size, 5);
});

test("a missing file, a directory and an unknown scheme are named", () => {
  assert.throws(() => openUrl(join(dir, "none"), {}), fails("no-such-file", /no such file: .*none/));
  assert.throws(() => openUrl(dir, {}), fails("is-directory", /is a directory/));
  assert.throws(() => openUrl("gopher://x/y", {}), fails("bad-url", /unknown scheme gopher/));
  assert.throws(() => openUrl("file://host.example/x/../y", {}), fails("bad-url", /not the address of a local file/));
  assert.throws(() => openUrl("s3://bucket", {}), fails("bad-url", /names no object/));
  assert.throws(() => openUrl("tag://data", {}), fails("bad-url", /expanded where the job is submitted/));
});

test("the parts of a file hold each of its lines once, wherever it is cut", async () => {
  const path = join(dir, "lines");
  const line = fc.string({ maxLength: 6, unit: fc.constantFrom("a", "b", "é") });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.boolean(),
      fc.array(fc.nat(60), { maxLength: 4 }),
      async (lines, ended, cuts) => {
        const text = lines.join("\n") + (ended ? "\n" : "");
        await writeFile(path, text);
        const size = Buffer.byteLength(text);
        const at = [0, ...cuts.filter((cut) => cut > 0 && cut < size).sort((a, b) => a - b), size];
        const parts = at.slice(1).map((to, i) => read(`${path}#bytes=${at[i]}-${to}`));
        assert.equal(parts.join(""), text);
        for (const part of parts.slice(0, -1)) assert.ok(part === "" || part.endsWith("\n") || parts.at(-1) === "");
      },
    ),
    { numRuns: 200 },
  );
});

test("a disco:// address of this node is a file of its data directory", async () => {
  await mkdir(join(dir, "localhost/ab/job"), { recursive: true });
  await writeFile(join(dir, "localhost/ab/job/x"), "data");
  const context = { host: "localhost", dataDir: dir };
  assert.equal(read("disco://localhost/disco/localhost/ab/job/x", context), "data");
  assert.throws(() => openUrl("disco://localhost/disco/../../etc/passwd", context), fails("bad-url", /not an address/));
  assert.throws(() => openUrl("disco://localhost/none", context), fails("no-such-file", /none/));
});

test("an index lists files, and reads as their contents", async () => {
  await mkdir(join(dir, "localhost/cd/job"), { recursive: true });
  const context = { host: "localhost", dataDir: dir };
  const base = "disco://localhost/disco/localhost/cd/job";
  for (const name of ["one", "two"]) await writeFile(join(dir, "localhost/cd/job", name), name);
  const entries = ["one", "two"].map((name, label) => ({ label, url: `${base}/${name}`, size: 3 }));
  await writeFile(join(dir, "localhost/cd/job/index"), formatIndex(entries));
  const url = "dir://localhost/disco/localhost/cd/job/index";
  assert.deepEqual(readIndexSync(url, context), entries);
  assert.deepEqual(await readIndex(url, context), entries);
  assert.equal(read(url, context), "onetwo");
  assert.throws(() => readIndexSync(`${url}x`, context), fails("no-such-file", /indexx/));
});

test("an index cannot lead to files of the machine that reads it (fault 89)", async () => {
  const context = { host: "localhost", dataDir: dir };
  await mkdir(join(dir, "localhost/ef/job"), { recursive: true });
  for (const entry of ["/etc/passwd", "file:///etc/passwd", "../etc/passwd", "disco://localhost/disco/../../passwd"]) {
    await writeFile(join(dir, "localhost/ef/job/index"), `0 ${entry} 3\n`);
    await assert.rejects(readIndex("dir://localhost/disco/localhost/ef/job/index", context), { name: "DataError" });
  }
});

test("an index that is damaged is refused with the line", () => {
  assert.throws(() => parseIndex("0 disco://a/b 3\nx y\n", "dir://i"), fails("bad-index", /line 2/));
  assert.throws(() => parseIndex("0 disco://a/b 3\n0 disco://a/c", "dir://i"), fails("bad-index", /cut off/));
});
