import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DiscoError } from "../errors.ts";
import { rememberRoot } from "./data-place.ts";
import { type Inputs, resolveInputs } from "./inputs.ts";
import { asResults } from "./results.ts";

describe("inputs", () => {
  let dir: string;
  let index: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "disco-inputs-"));
    for (const name of ["b.txt", "a.txt", "c.log"]) await writeFile(join(dir, name), `contents of ${name}\n`);
    await writeFile(join(dir, "brackets[1].txt"), "x");
    await writeFile(join(dir, "x#bytes=0-1"), "xyz");
    await mkdir(join(dir, "sub"));
    await writeFile(join(dir, "sub", "d.txt"), "d");
    const home = join(dir, "data", "localhost", "ab", "job@1:2:3");
    await mkdir(join(home, ".disco"), { recursive: true });
    const file = "disco://localhost/disco/localhost/ab/job@1:2:3/out";
    await writeFile(join(home, ".disco", "reduce-0-0.results"), `0 ${file}.0 10\n3 ${file}.3 20\n`);
    index = "dir://localhost/disco/localhost/ab/job@1:2:3/.disco/reduce-0-0.results";
    rememberRoot(dir);
  });

  after(() => rm(dir, { recursive: true, force: true }));

  const resolve = (input: unknown, more: { hasMap?: boolean; splitBytes?: number } = {}): Promise<Inputs> =>
    resolveInputs({ input, hasMap: true, splitBytes: 0, ...more });
  const addresses = async (input: unknown): Promise<string[]> =>
    (await resolve(input)).specs.flatMap(({ replicas }) => replicas);
  const refuses = (input: unknown, code: string, message: RegExp, hasMap = true): Promise<void> =>
    assert.rejects(resolve(input, { hasMap }), (error: { code?: string; message: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });

  it("are files with their sizes, and globs in the order of names", async () => {
    const { specs, partitioned } = await resolve([join(dir, "*.txt"), join(dir, "c.log")]);
    assert.deepEqual(
      specs.map(({ replicas, size, label, hosts }) => [replicas, size, label, hosts]),
      [
        [[join(dir, "a.txt")], 18, 0, ["localhost"]],
        [[join(dir, "b.txt")], 18, 0, ["localhost"]],
        [[join(dir, "brackets[1].txt")], 1, 0, ["localhost"]],
        [[join(dir, "c.log")], 18, 0, ["localhost"]],
      ],
    );
    assert.equal(partitioned, false);
    assert.deepEqual(await addresses(join(dir, "**", "d.txt")), [join(dir, "sub", "d.txt")]);
  });

  it("are files by name even when the name looks like a glob or a range", async () => {
    assert.deepEqual(await addresses([join(dir, "brackets[1].txt")]), [join(dir, "brackets[1].txt")]);
    const [range] = await addresses([new URL(`file://${dir}/x%23bytes=0-1`)]);
    assert.match(range as string, /^file:.*x%23bytes=0-1$/);
  });

  it("are addresses of other schemes as they stand", async () => {
    const { specs } = await resolve(["raw://some text", "http://host/a", "disco://node7/disco/node7/x"]);
    assert.deepEqual(
      specs.map(({ replicas, size, hosts }) => [replicas[0], size, hosts[0]]),
      [
        ["raw://some text", 9, null],
        ["http://host/a", 0, null],
        ["disco://node7/disco/node7/x", 0, "node7"],
      ],
    );
  });

  it("are replicas where a list holds a list", async () => {
    const { specs } = await resolve([[join(dir, "a.txt"), "http://host/a.txt"], "raw://x"]);
    assert.equal(specs.length, 2);
    assert.deepEqual(specs[0], {
      label: 0,
      size: 18,
      replicas: [join(dir, "a.txt"), "http://host/a.txt"],
      hosts: ["localhost", null],
    });
    await refuses([["raw://a", "raw://b"]], "bad-input", /input\[0\] is a list of replicas, which needs a map/, false);
  });

  it("are the entries of an index, with their labels", async () => {
    const { specs, partitioned } = await resolve([index]);
    assert.deepEqual(
      specs.map(({ label, size, hosts }) => [label, size, hosts]),
      [
        [0, 10, ["localhost"]],
        [3, 20, ["localhost"]],
      ],
    );
    assert.equal(partitioned, true);
    assert.equal((await resolve([index, "raw://x"])).partitioned, false);
  });

  it("are the results of jobs, also as lists in the list", async () => {
    const results = asResults([index]);
    assert.equal((await resolve(results)).specs.length, 2);
    assert.equal((await resolve([results, results])).specs.length, 4);
    await refuses([[index, index]], "bad-input", /2 results of one job; a list in the list means replicas/);
  });

  it("are read in parts when they are big", async () => {
    const { specs } = await resolve([join(dir, "a.txt")], { splitBytes: 7 });
    assert.deepEqual(
      specs.map(({ replicas, size }) => [replicas[0], size]),
      [
        [`${join(dir, "a.txt")}#bytes=0-6`, 6],
        [`${join(dir, "a.txt")}#bytes=6-12`, 6],
        [`${join(dir, "a.txt")}#bytes=12-18`, 6],
      ],
    );
  });

  it("that are not there are named before anything starts", async () => {
    await refuses([join(dir, "nothing.txt")], "no-such-file", /input\[0\]: no such file: .*nothing\.txt/);
    await refuses("nothing.txt", "no-such-file", /input: no such file: nothing\.txt/);
    await refuses(["raw://x", join(dir, "*.nope")], "no-such-file", /input\[1\]: no file matches .*\*\.nope/);
    await refuses([[join(dir, "a.txt"), join(dir, "nope")]], "no-such-file", /nope/);
    await refuses(["dir://localhost/disco/localhost/ab/job@9:9:9/.disco/x.results"], "no-such-file", /job@9:9:9/);
  });

  it("are no standard input: it is said what to do instead", async () => {
    await assert.rejects(resolve(["-"]), {
      code: "no-such-file",
      message: "input[0]: no such file: -",
      hint: /^Standard input can be read once, .*write it to a file first/,
    });
  });

  it("that make no sense are refused, naming the place", async () => {
    await refuses([], "bad-input", /input is an empty list/);
    await refuses(undefined, "bad-input", /input is missing/);
    await refuses([[]], "bad-input", /input\[0\] is an empty list of replicas/);
    await refuses([3], "bad-input", /input\[0\]: an address, a path or a list of such was expected, not 3/);
    await refuses([""], "bad-input", /input\[0\]: an address/);
    await refuses([dir], "bad-input", /is a directory/);
    await refuses(["/dev/null"], "bad-input", /not a regular file/);
    await refuses(["ftp://host/x"], "bad-input", /unknown scheme ftp:\/\//);
    await refuses([["raw://x", join(dir, "*.txt")]], "bad-input", /cannot be a replica/);
    await refuses(["s3://bucket/folder/"], "bad-input", /is no object/);
    await refuses(["s3://bucket"], "bad-input", /is no object/);
    await refuses(["s3://bucket/../other/key"], "bad-url", /cannot be addressed/);
    await refuses(asResults([]), "bad-input", /empty list/);
  });

  it("are the blobs of tags, with replicas and hosts, in their order", async () => {
    const blob = (host: string, n: number): string => `disco://${host}/ddfs/vol0/blob/aa/x$00-0-${n}`;
    const lists: Record<string, string[][]> = {
      data: [[blob("n1", 1), blob("n2", 1)], ["tag://more"], ["http://host/x"]],
      more: [[blob("n3", 2)], ["tag://data"]],
      empty: [],
      bad: [["/etc/passwd"]],
    };
    const tag = async (name: string) => {
      const urls = lists[name];
      if (urls === undefined) throw new DiscoError(`there is no tag ${name}`, { code: "unknown-tag" });
      return { version: 1 as const, id: "", "last-modified": "", urls, "user-data": {} };
    };
    const tags = { urls: ["http://master:8989"], ddfs: async () => ({ tag }) };
    const of = async (input: unknown, hasMap = true): Promise<Inputs> =>
      resolveInputs({ input, hasMap, splitBytes: 0, tags });
    const { specs, partitioned } = await of(["raw://a", "tag://data", "tag://master/more"]);
    assert.equal(partitioned, false);
    assert.deepEqual(
      specs.slice(1).map(({ label, size, replicas, hosts }) => [label, size, replicas, hosts]),
      [
        [0, 0, [blob("n1", 1), blob("n2", 1)], ["n1", "n2"]],
        [0, 0, ["http://host/x"], [null]],
        [0, 0, [blob("n3", 2)], ["n3"]],
        [0, 0, [blob("n3", 2)], ["n3"]],
        [0, 0, [blob("n1", 1), blob("n2", 1)], ["n1", "n2"]],
        [0, 0, ["http://host/x"], [null]],
      ],
    );
    assert.equal((await of("tag://data", false)).specs.length, 3);
    const fails = (input: unknown, code: string, message: RegExp): Promise<void> =>
      assert.rejects(of(input), { code, message });
    await fails(["tag://nothing"], "unknown-tag", /^input\[0\]: there is no tag nothing/);
    await fails("tag://empty", "bad-input", /names no data/);
    await fails(["tag://bad"], "bad-input", /names \/etc\/passwd/);
    await fails(["tag://a b"], "bad-name", /^input\[0\]: .*is not a tag/);
    await fails([["tag://data", "raw://x"]], "bad-input", /a tag cannot be a replica/);
  });

  it("are a million, where a tag names so many", async () => {
    const urls = Array.from({ length: 1_000_000 }, (_, i) => [
      `disco://n${i % 10}/ddfs/vol0/blob/aa/x$00-0-${i.toString(16)}`,
    ]);
    const contents = { version: 1 as const, id: "", "last-modified": "", urls, "user-data": {} };
    const tags = { urls: ["http://master:8989"], ddfs: async () => ({ tag: async () => contents }) };
    const { specs } = await resolveInputs({ input: "tag://many", hasMap: true, splitBytes: 0, tags });
    assert.equal(specs.length, 1_000_000);
    assert.deepEqual(specs[7]?.hosts, ["n7"]);
  });
});
