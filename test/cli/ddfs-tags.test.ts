/** `ddfs`: what its commands do with tags, on a root without a daemon and at a daemon, and what they refuse. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CommandPlace, type RunOptions } from "./cli.test-kit.ts";

interface ErrorDocument {
  readonly error: { readonly code: string; readonly hint: string | null };
}

for (const where of ["a root", "a daemon"]) {
  describe(`tags of ${where}`, () => {
    let place: CommandPlace;

    before(async () => {
      place = await CommandPlace.open();
      if (where === "a daemon") await place.startDaemon();
    });
    after(() => place.close());

    async function out(args: readonly string[], options?: RunOptions): Promise<string> {
      const { code, stdout, stderr } = await place.ddfs(args, options);
      assert.equal(code, 0, `ddfs ${args.join(" ")}\n${stderr}${stdout}`);
      return stdout;
    }

    async function json<T>(...args: readonly string[]): Promise<T> {
      return JSON.parse(await out([...args, "--json"])) as T;
    }

    /** Its code, as programs see it, after a look at what people see. */
    async function refusal(args: readonly string[], said: RegExp, options?: RunOptions): Promise<string> {
      const { code, stdout, stderr } = await place.ddfs([...args, "--json"], options);
      assert.equal(code, 2, `ddfs ${args.join(" ")}\n${stderr}${stdout}`);
      assert.match(stderr, said);
      return (JSON.parse(stdout) as ErrorDocument).error.code;
    }

    test("are made, linked, walked, copied, moved and removed", async () => {
      assert.deepEqual(await json("ls"), []);
      assert.deepEqual(await json("touch", "data:1", "tag://data:2"), ["data:1", "data:2"]);
      assert.deepEqual(await json("tag", "all", "tag://data:1", "raw://a raw://b"), { tag: "all", added: 2 });
      await out(["tag", "all"], { input: "tag://data:2\n\n" });
      assert.equal(await out(["urls", "all"]), "tag://data:2\ntag://data:1\nraw://a\traw://b\n");
      assert.equal(await out(["blobs", "all", "data:*"]), "raw://a\traw://b\n");
      assert.equal(await out(["find", "all"]), "all\nall\tdata:2\nall\tdata:1\n");
      assert.equal(await out(["ls", "data:"]), "data:1\ndata:2\n");
      assert.equal(await out(["ls", "*l*", "data:[2]"]), "all\ndata:2\n");
      const [stat] = await json<{ blobs: number; tags: number; replicas: number; changedAt: number }[]>("stat", "all");
      assert.deepEqual([stat?.blobs, stat?.tags, stat?.replicas], [1, 2, 2]);
      assert.ok(Math.abs(Date.now() - (stat?.changedAt ?? 0)) < 60_000);

      await out(["cp", "all", "copy"]);
      await out(["untag", "all", "raw://a"]);
      assert.match((await place.ddfs(["untag", "all", "data:*"])).stderr, /untag of .* needs a confirmation/);
      await out(["untag", "all", "data:*", "-y"]);
      assert.deepEqual(await json("urls", "all"), []);
      await out(["mv", "copy", "moved"]);
      assert.equal((await json<{ urls: unknown[] }>("get", "moved")).urls.length, 3);
      assert.equal(await refusal(["mv", "moved", "all", "-n"], /there is a tag all/), "tag-exists");

      assert.equal(await refusal(["rm", "data:*"], /rm of data:1, data:2 needs a confirmation/), "not-confirmed");
      assert.deepEqual(await json("rm", "data:*", "--yes"), ["data:1", "data:2"]);
      const broken = await place.ddfs(["find", "-w", "moved"]);
      assert.equal(broken.code, 1);
      assert.equal(broken.stdout, "moved\nTag not found: moved\tdata:2\nTag not found: moved\tdata:1\n");
      assert.equal(await out(["rm", "-f", "data:1", "moved", "all"]), "");
      assert.deepEqual(await json("ls"), []);
    });

    test("have attributes, and tokens that protect them", async () => {
      await out(["setattr", "t", "owner", "ann\tlee"]);
      await out(["setattr", "t", "days", "[1, 2]", "--parse"]);
      assert.equal(await out(["attrs", "t"]), "owner\tann\\tlee\ndays\t[1,2]\n");
      assert.equal(await out(["getattr", "t", "owner"]), "ann\tlee\n");
      assert.deepEqual(await json("getattr", "t", "days"), [1, 2]);
      await out(["delattr", "t", "owner"]);
      assert.deepEqual(await json("attrs", "t"), { days: [1, 2] });

      await out(["chtok", "t", "-"], { input: "secret\n" });
      assert.equal(await refusal(["urls", "t"], /asks for a token to be read/), "tag-unauthorized");
      const wrong = { env: { DDFS_READ_TOKEN: "other", DDFS_WRITE_TOKEN: "other" } };
      assert.equal(await refusal(["rm", "t"], /has another token/, wrong), "tag-unauthorized");
      assert.equal(await out(["exists", "t"]), "true\n");
      const right = { env: { DDFS_READ_TOKEN: "secret", DDFS_WRITE_TOKEN: "secret" } };
      await out(["mv", "t", "u"], right);
      assert.equal(await refusal(["attrs", "u"], /asks for a token to be read/), "tag-unauthorized");
      await out(["chtok", "u", "--remove", "-r"], right);
      assert.deepEqual(await json("attrs", "u"), { days: [1, 2] });
      assert.equal(await refusal(["touch", "u"], /asks for a token to be changed/), "tag-unauthorized");
      await out(["rm", "u"], right);
    });

    test("that cannot be meant are refused, with what to do", async () => {
      await out(["touch", "books"]);
      assert.equal(await refusal(["urls", "boks"], /there is no tag boks\nhint: Did you mean books\?/), "unknown-tag");
      assert.equal(await refusal(["rm", "x*"], /no tag's name matches x\*/), "unknown-tag");
      assert.equal(await refusal(["stat", "../etc"], /is not the name of a tag\nhint: Names have/), "bad-name");
      assert.equal(await refusal(["tag", "books", "no\u0001where"], /./), "bad-url");
      assert.equal(await refusal(["untag", "books", "x"], /links to nothing that is called x/), "bad-argument");
      assert.equal(await refusal(["cp", "books", "tag://books"], /to itself/), "bad-argument");
      assert.equal(await refusal(["getattr", "books", "x"], /has no attribute x/), "unknown-attribute");
      assert.equal(await refusal(["setattr", "books", "x", "{", "--parse"], /is not JSON/), "bad-argument");
      await refusal(["setattr", "books", "ddfs:x", "y"], /no attribute /);
      assert.equal(await refusal(["chtok", "books"], /a token, or --remove/), "bad-argument");
      assert.equal(await refusal(["lss"], /unknown command 'lss'\nhint: Did you mean ls\?/), "bad-argument");
      const gone = await place.ddfs(["exists", "boks"]);
      assert.deepEqual([gone.code, gone.stdout], [1, "false\n"]);
    });

    test("in a circle are walked once", async () => {
      await out(["tag", "a", "tag://b"]);
      await out(["tag", "b", "tag://a", "raw://x"]);
      assert.equal(await out(["blobs", "a", "b"]), "raw://x\n");
      assert.equal(await out(["find", "a"]), "a\na\tb\n");
    });
  });
}
