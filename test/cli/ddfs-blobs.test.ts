/** `ddfs`: files and records go in, and come out as they were; on a root without a daemon and at a daemon. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { CommandPlace, type RunOptions } from "./cli.test-kit.ts";

interface PushReport {
  readonly tag: string;
  readonly blobs: readonly (readonly string[])[];
  readonly bytes: number;
}

for (const where of ["a root", "a daemon"]) {
  describe(`blobs of ${where}`, () => {
    let place: CommandPlace;

    before(async () => {
      place = await CommandPlace.open();
      if (where === "a daemon") await place.startDaemon();
      await place.write("moby.txt", "Call me\nIshmael\nwhale\n");
      await place.write("tale.txt", "It was\nthe best\n");
      await mkdir(join(place.folder, "d", "e"), { recursive: true });
      await place.write("d/x.txt", "outer\n");
      await place.write("d/e/x.txt", "inner\n");
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

    async function refusal(args: readonly string[], said: RegExp): Promise<string> {
      const { code, stdout, stderr } = await place.ddfs([...args, "--json"]);
      assert.equal(code, 2, `ddfs ${args.join(" ")}\n${stderr}${stdout}`);
      assert.match(stderr, said);
      return (JSON.parse(stdout) as { readonly error: { readonly code: string } }).error.code;
    }

    test("that --update leaves out are said, and of two that would be called the same none is lost", async () => {
      await mkdir(join(place.folder, "umlauts"));
      await place.write("umlauts/ä.md", "one\n");
      await place.write("umlauts/ö.md", "two\n");
      const both = ["push", "same", "umlauts/ä.md", "umlauts/ö.md"];
      assert.equal(
        await refusal([...both, "--update"], /ä\.md and .*ö\.md would both be the blob __md/),
        "bad-argument",
      );
      assert.equal((await place.ddfs(["exists", "same"])).code, 1);
      await out(["push", "same", "umlauts/ä.md", "--update"]);
      const { stderr } = await place.ddfs(["push", "same", "umlauts/ö.md", "moby.txt", "-u"]);
      assert.equal(stderr, "same: 1 blob added\n1 blob left out (--update): the tag had one of the same name: __md\n");
      const again = await json<PushReport & { leftOut: string[] }>("push", "same", "umlauts/ö.md", "tale.txt", "-u");
      assert.deepEqual([again.blobs.length, again.leftOut], [1, ["__md"]]);
      assert.equal((await out(["cat", "same"])).match(/two/), null);
      const cut = await json<PushReport & { leftOut: string[] }>("chunk", "cut", "moby.txt", "-u");
      const recut = await json<PushReport & { leftOut: string[] }>("chunk", "cut", "moby.txt", "-u");
      assert.deepEqual([cut.blobs.length, cut.leftOut, recut.blobs, recut.leftOut], [1, [], [], ["moby_txt-0"]]);
      await out(both);
      assert.match(await out(["cat", "same"]), /two/);
    });

    test("are printed without a warning, however many they are", async () => {
      await mkdir(join(place.folder, "one-of-many"));
      for (let i = 0; i < 30; i++) await place.write(`one-of-many/${i}.txt`, `${i}\n`);
      await out(["push", "few", "one-of-many", "-r", "--concurrency", "30"]);
      const { code, stdout, stderr } = await place.ddfs(["cat", "few"], { input: null });
      assert.deepEqual([code, stderr, stdout.trim().split("\n").length], [0, "", 30]);
    });

    test("are pushed and pulled by their names, folders with the way to each file", async () => {
      const pushed = await json<PushReport>("push", "books", "*.txt", "--replicas", "1");
      assert.deepEqual([pushed.tag, pushed.blobs.length, pushed.bytes], ["books", 2, 38]);
      assert.match(pushed.blobs[0]?.[0] ?? "", /^disco:\/\/localhost\/ddfs\/vol\d+\/blob\/[0-9a-f]{2}\/moby_txt\$/);
      assert.equal(await out(["cat", "books"]), "Call me\nIshmael\nwhale\nIt was\nthe best\n");
      assert.equal(await out(["cat", pushed.blobs[1]?.[0] ?? ""]), "It was\nthe best\n");

      await out(["push", "tree", "d", "-r"]);
      await out(["push", "tree", "moby.txt", "--name", "x_txt"]);
      await out(["push", "tree", "moby.txt", "--name", "e_x_txt", "--update"]);
      const files = await json<{ file: string; bytes: number }[]>("pull", "tree", "out");
      assert.deepEqual(
        files.map(({ bytes }) => bytes).sort((a, b) => a - b),
        [6, 6, 22],
      );
      const names = (await readdir(join(place.folder, "out"))).sort();
      assert.deepEqual(names.map((name) => name.replace(/\$.*/, "$")).sort(), ["e_x_txt", "x_txt", "x_txt$"]);
      assert.equal(await readFile(join(place.folder, "out", "x_txt"), "utf8"), "Call me\nIshmael\nwhale\n");
      assert.equal(await refusal(["pull", "tree", "out"], /there is a file out\/x_txt\nhint: --force/), "file-exists");
      await out(["pull", "tree", "out", "--force", "-b", "e_*"]);
      assert.equal(await out(["pull", "tree", "-"]), await out(["cat", "tree"]));
    });

    test("are compressed on the way in where that is asked for, and read without a word", async () => {
      await out(["push", "packed", "moby.txt", "-z"]);
      assert.match(await out(["blobs", "packed"]), /\/moby_txt_gz\$/);
      const [file] = await json<{ file: string }[]>("pull", "packed", "packed");
      const bytes = await readFile(join(place.folder, file?.file ?? ""));
      assert.equal(gunzipSync(bytes).toString(), "Call me\nIshmael\nwhale\n");
      assert.equal(await out(["xcat", "packed", "--head", "2"]), "Call me\nIshmael\n");
      await writeFile(join(place.folder, "t.zst"), zstdCompressSync("zstd\ntoo\n"));
      await out(["push", "packed", "t.zst"]);
      assert.equal(await out(["grep", "-n", "to+", "packed"]), "t_zst:2:too\n");
    });

    test("of tar archives are the files in them", async () => {
      const long = `${"long/".repeat(30)}name.txt`;
      await mkdir(join(place.folder, "tar", long, ".."), { recursive: true });
      await place.write(`tar/${long}`, "long\n");
      await place.write("tar/empty", "");
      await place.write("tar/b.txt", "b\n");
      for (const [format, archive] of [
        ["gnu", "a.tar"],
        ["pax", "b.tar"],
      ] as const) {
        execFileSync("tar", [`--format=${format}`, "-cf", archive, "tar"], { cwd: place.folder });
        await writeFile(join(place.folder, `${archive}.gz`), gzipSync(await readFile(join(place.folder, archive))));
        for (const file of [archive, `${archive}.gz`]) {
          const tag = file.replaceAll(".", "-");
          const { blobs } = await json<PushReport>("push", tag, "-x", file);
          const found = blobs.map(([url = ""]) => url.replace(/.*\/|\$.*/g, "")).sort();
          assert.deepEqual(found, ["tar_b_txt", "tar_empty", `tar_${"long_".repeat(30)}name_txt`].sort(), file);
          assert.equal((await out(["cat", tag])).split("\n").sort().join(" "), " b long");
        }
      }
      await out(["push", "some", "-xz", "a.tar", "-I", "b.t"]);
      assert.equal(await out(["xcat", "some"]), "b\n");
      const cut = (await readFile(join(place.folder, "a.tar"))).subarray(0, 700);
      await writeFile(join(place.folder, "cut.tar"), cut);
      assert.equal(await refusal(["push", "some", "-x", "cut.tar"], /is no tar archive/), "bad-archive");
      assert.equal(await refusal(["push", "some", "-x", "moby.txt"], /ends within a header/), "bad-archive");
    });

    test("of chunks have whole records, and say what they are", async () => {
      const lines = Array.from({ length: 40_000 }, (_, i) => `${i}\t${(i * 7919) % 10_007}`);
      const text = `${lines.join("\n")}\n`;
      await place.write("n.txt", text);
      const { blobs } = await json<PushReport>("chunk", "n", "n.txt", "-S", "0.05");
      assert.ok(blobs.length > 1, String(blobs.length));
      assert.equal(await out(["xcat", "n"]), text);
      assert.equal((await out(["xcat", "n", "--head", "1", "--json"])).trimEnd(), JSON.stringify(["0\t0", null]));
      assert.equal(await out(["grep", "--no-filename", "^39999\t", "n"]), `${lines[39_999]}\n`);
      await place.write(
        "reader.ts",
        "export function* upper(s: Iterable<Buffer>) { for (const b of s) yield String(b).length; }",
      );
      await out(["chunk", "sizes", "moby.txt", "-R", "reader.ts#upper"]);
      assert.equal(await out(["xcat", "sizes"]), "22\n");
      assert.equal(await refusal(["xcat", "n", "-R", "linereader"], /Did you mean lineReader\?/), "bad-argument");
      assert.equal(await refusal(["xcat", "n", "-R", "reader.ts#x"], /exports no function x/), "bad-argument");
    });

    test("are searched in their order, as grep does it", async () => {
      await out(["push", "poems", "moby.txt", "tale.txt"]);
      assert.equal(await out(["grep", "-n", "(?:m|l)e$", "poems"]), "moby_txt:1:Call me\nmoby_txt:3:whale\n");
      assert.equal(await out(["grep", "-ci", "WHALE|BEST", "poems"]), "moby_txt:1\ntale_txt:1\n");
      assert.equal(await out(["grep", "-l", "best", "poems"]), "tale_txt\n");
      assert.equal(await out(["grep", "-v", "--no-filename", "e", "poems"]), "It was\n");
      const none = await place.ddfs(["grep", "no such line", "poems"]);
      assert.deepEqual([none.code, none.stdout], [1, ""]);
      const found = await json<{ count: number; lines: unknown[] }[]>("grep", "best", "poems");
      assert.deepEqual(found.at(1)?.lines, [{ line: 2, text: "the best" }]);
      assert.equal(await refusal(["grep", "(", "poems"], /is not a regular expression/), "bad-argument");
      await writeFile(join(place.folder, "bin"), Buffer.from([0, 1, 2, 3, 0, 255]));
      await out(["push", "poems", "bin"]);
      const binary = await place.ddfs(["grep", "-c", "whale", "poems"]);
      assert.match(binary.stderr, /ddfs: bin is not text: passed over/);
      assert.equal(binary.code, 0);
    });

    test("take room that df and du tell", async () => {
      const [usage] = await json<{ blobs: number; bytes: number; missing: number }[]>("du", "books");
      assert.deepEqual([usage?.blobs, usage?.bytes, usage?.missing], [2, 38, 0]);
      const [node] = await json<{ host: string; volumes: { freeBytes: number }[] }[]>("df", "books");
      assert.equal(node?.host, "localhost");
      assert.ok((node?.volumes[0]?.freeBytes ?? 0) > 0);
      assert.match(await out(["df"]), /^NODE +VOLUME +SIZE +USED +FREE +USE% +STATE\nlocalhost /);
      await out(["tag", "books", "disco://localhost/ddfs/vol0/blob/00/gone$703-6c4d4-1", "raw://x"]);
      assert.match(await out(["du", "books"]), /^38 B +38 B +4 +1 +books$/m);
    });

    test("are collected, scrubbed and checked: what is wrong is exit status 1", async () => {
      await out(["rm", "books", "--force"]);
      const collected = await json<{ stats: { lost: number } }>("gc", "start", "--wait");
      assert.equal(collected.stats.lost, 0);
      assert.deepEqual(await json("gc", "stats"), collected);
      assert.equal((await json<{ phase: unknown }>("gc", "status")).phase, null);
      const listed = await json<{ node: string }[]>("gc", "blacklist", "localhost");
      assert.deepEqual(
        listed.map(({ node }) => node),
        ["localhost"],
      );
      assert.match(await out(["gc", "status"]), /^ {2}localhost can(?:not)? be taken away/m);
      assert.equal(await refusal(["push", "new", "moby.txt"], /0 nodes can take one/), "not-enough-nodes");
      assert.equal(await refusal(["gc", "blacklist", "localhos"], /Did you mean localhost\?/), "unknown-node");
      assert.deepEqual(await json("gc", "whitelist", "localhost"), []);
      const sound = await json<{ ok: boolean; findings: { kind: string }[] }>("fsck");
      assert.ok(sound.ok);
      await out(["tag", "broken", "disco://localhost/ddfs/vol0/blob/00/gone$703-6c4d4-1", "tag://nowhere"]);
      const wrong = await place.ddfs(["fsck"]);
      assert.equal(wrong.code, 1, wrong.stdout);
      assert.match(wrong.stdout, /^lost: /m);
      assert.match(wrong.stdout, /^broken-link: /m);
      await out(["rm", "broken"]);
      const [scrubbed] = await json<{ damaged: unknown[]; blobs: number }[]>("scrub", "start", "--wait");
      assert.deepEqual(scrubbed?.damaged, []);
      assert.ok((scrubbed?.blobs ?? 0) > 5);
    });

    test("that cannot be are refused, and nothing is tagged", async () => {
      assert.equal(await refusal(["push", "new", "nofile"], /no such file: nofile/), "no-such-file");
      assert.equal(
        await refusal(["push", "new", "d"], /d is a folder: not pushed[^]*nothing to push/),
        "nothing-to-push",
      );
      assert.equal(await refusal(["push", "new", "moby.txt", "-E", "moby"], /leave nothing/), "nothing-to-push");
      assert.equal(await refusal(["push", "new", "moby.txt", "-n", "2"], /1 node can take one/), "not-enough-nodes");
      assert.equal(await refusal(["push", "new", "*.txt", "--name", "x"], /for one blob/), "bad-argument");
      assert.equal(await refusal(["push", "new", "moby.txt", "--name", "../x"], /./), "bad-name");
      assert.equal(await refusal(["push", "../new", "moby.txt"], /is not the name of a tag/), "bad-name");
      assert.equal(await refusal(["push", "new", "moby.txt", "-n", "0"], /from 1 on was expected/), "bad-argument");
      assert.equal(
        await refusal(["push", "new", "moby.txt", "-F", "nowhere"], /there is no node nowhere/),
        "unknown-node",
      );
      assert.equal(await refusal(["cat", "new"], /there is no tag new/), "unknown-tag");
      assert.equal(await out(["exists", "books"]).catch(() => "false"), "false");
      const lost = await place.ddfs(["cat", "disco://localhost/ddfs/vol0/blob/00/gone$703-6c4d4-1"]);
      assert.equal(lost.code, 1);
    });

    test("standard input is a blob, and a reader that has enough is no error", async () => {
      await out(["push", "in", "-", "--name", "hello"], { input: "from a pipe\n" });
      assert.equal(await out(["cat", "in"]), "from a pipe\n");
      const enough = await place.ddfs(["xcat", "n"], {
        started: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
      });
      assert.deepEqual([enough.code, enough.stderr], [0, ""]);
    });
  });
}
