/** The commands that look: each against the engine in its own process, and against a daemon. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CommandPlace, dies, wordCount } from "./cli.test-kit.ts";

for (const kind of ["without a daemon", "with a daemon"] as const) {
  describe(`commands that look, ${kind}`, () => {
    let place: CommandPlace;
    let ready = "";
    let dead = "";

    before(async () => {
      place = await CommandPlace.open({ shared: true });
      if (kind === "with a daemon") await place.startDaemon();
      await place.write("count.ts", wordCount);
      await place.write("dies.ts", dies);
      ready = (await run("count.ts", 0)).name;
      dead = (await run("dies.ts", 1)).name;
    });
    after(() => place.close());

    async function run(file: string, code: number): Promise<{ readonly name: string }> {
      const done = await place.disco(["run", file, "--json", "--quiet"]);
      assert.equal(done.code, code, done.stderr);
      const { jobs } = JSON.parse(done.stdout) as { readonly jobs: readonly { readonly name: string }[] };
      return jobs[0] as { readonly name: string };
    }

    test("jobs lists them, the newest first, and can be asked for some", async () => {
      const lines = (await place.out("jobs")).trimEnd().split("\n");
      assert.match(lines[0] ?? "", /^NAME +STATUS +PROGRESS +AGE +DURATION +OWNER$/);
      assert.match(lines[1] ?? "", new RegExp(`^${dead} +dead +map 0/1 +\\d+ s +[\\d.]+ m?s +\\S+@\\S+$`));
      assert.match(lines[2] ?? "", new RegExp(`^${ready} +ready +4 tasks +`));
      assert.equal(lines.length, 3);

      assert.deepEqual((await place.out("jobs", "--status", "dead")).match(/^\w+@\S+/gm), [dead]);
      assert.deepEqual((await place.out("jobs", "count")).match(/^\w+@\S+/gm), [ready]);
      assert.deepEqual((await place.out("jobs", "*ie*")).match(/^\w+@\S+/gm), [dead]);
      const one = await place.disco(["jobs", "--limit", "1"]);
      assert.deepEqual(one.stdout.match(/^\w+@\S+/gm), [dead]);
      assert.equal(one.stderr, "and 1 older ones (--limit 0 shows all)\n");
      assert.equal((await place.disco(["jobs", "nothing"])).stderr, "no jobs of this kind\n");
    });

    test("jobs --json has the same as a list", async () => {
      const [first, second] = await place.json<Record<string, unknown>[]>("jobs");
      const keys = ["name", "status", "owner", "submittedAt", "endedAt", "seconds", "tasks", "done", "reason"];
      assert.deepEqual(Object.keys(first ?? {}), keys);
      assert.deepEqual([first?.["name"], first?.["status"]], [dead, "dead"]);
      assert.match(String(first?.["reason"]), /RangeError: not a/);
      assert.deepEqual([second?.["name"], second?.["tasks"], second?.["done"]], [ready, 4, 4]);
      assert.deepEqual(await place.json("jobs", "nothing"), []);
    });

    test("job shows stages and results, and of a dead one the line of the source", async () => {
      const page = await place.out("job", "count");
      assert.match(page, new RegExp(`^${ready}  ready\n  submitted 20\\d\\d-\\d\\d-\\d\\d `));
      assert.match(page, /^ {2}map .*100% {2}2\/2 tasks$/m);
      assert.match(page, /^ {2}reduce .*100% {2}2\/2 tasks$/m);
      assert.match(page, /^ {2}dir:\/\//m);

      const grave = await place.out("job", dead);
      assert.match(grave, /reason: .*RangeError: not a/);
      assert.match(grave, /at .*dies\.ts:4:11/);
      assert.match(grave, /> 4 \| {5}throw new RangeError/);
      assert.equal(grave.match(/RangeError: not a/g)?.length, 1, grave);
    });

    test("job --json and job --tasks --json are what a program needs", async () => {
      const info = await place.json<Record<string, unknown>>("job", dead);
      for (const key of [
        "name",
        "status",
        "stages",
        "results",
        "owner",
        "waits",
        "hosts",
        "failure",
        "tasks",
        "peakRss",
      ]) {
        assert.ok(key in info, key);
      }
      assert.equal((info["failure"] as Record<string, unknown>)["name"], "RangeError");
      assert.deepEqual(await place.json("job", ready, "--tasks"), []);
    });

    test("results, mapresults and deref print addresses, one a line", async () => {
      const results = (await place.out("results", "count")).trimEnd().split("\n");
      assert.equal(results.length, 2);
      for (const url of results) assert.match(url, /^dir:\/\/\S+\.results$/);
      assert.deepEqual(await place.json("results", "count"), results);
      assert.deepEqual((await place.out("results", ready, "--stage", "reduce")).trimEnd().split("\n"), results);

      const files = (await place.out("deref", ...results)).trimEnd().split("\n");
      assert.equal(files.length, 2);
      for (const url of files) assert.match(url, /^disco:\/\/\S+\.disco$/);
      assert.deepEqual(
        (await place.json<{ files: string[] }[]>("deref", ...results)).flatMap((list) => list.files),
        files,
      );
      assert.equal(await place.out("deref", "raw://as-it-is"), "raw://as-it-is\n");

      const gone = await place.refused(["mapresults", ready]);
      assert.match(gone.stderr, /stage map of .* has left nothing/);
      assert.match(gone.stderr, /^hint: .*`disco results /m);
      const nowhere = await place.refused(["deref", "dir://nope"]);
      assert.deepEqual(
        [nowhere.code, nowhere.stderr],
        [2, "error: dir://nope is not an address of the form dir://HOST/PATH\n"],
      );
      assert.equal((await place.refused(["results", ready, "--stage", "shuffle"])).code, 2);
    });

    test("cat prints records, of jobs and of addresses, all or the first", async () => {
      const text = await place.out("cat", "count");
      assert.deepEqual(text.trimEnd().split("\n").sort(), ["be\t3", "not\t1", "question\t1"]);
      const lines = (await place.out("cat", ready, "--format", "jsonl")).trimEnd().split("\n");
      const byText = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1);
      assert.deepEqual(lines.map((line) => JSON.parse(line) as unknown).sort(byText), [
        ["be", 3],
        ["not", 1],
        ["question", 1],
      ]);
      assert.equal(await place.out("cat", ready, "--json"), `${lines.join("\n")}\n`);
      assert.equal((await place.out("cat", ready, "--head", "2")).split("\n").length, 3);
      assert.equal(await place.out("cat", ready, "--head", "0"), "");
      const results = (await place.out("results", ready)).trimEnd().split("\n");
      assert.equal(await place.out("cat", ...results), text);
    });

    test("events prints what happened, from a level, from an offset, and follows a job that has ended to its end", async () => {
      const all = await place.out("events", ready);
      assert.match(all, /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} master New job initialized!$/m);
      assert.match(all, /master READY: Job done in/);
      const errors = await place.out("events", dead, "--level", "error");
      assert.match(errors, /RangeError/);
      assert.doesNotMatch(errors, /New job initialized/);

      const json = (await place.out("events", ready, "--json")).trimEnd().split("\n");
      const events = json.map((line) => JSON.parse(line) as { readonly offset: number; readonly message: string });
      assert.deepEqual(Object.keys(events[0] ?? {}), ["offset", "time", "host", "task", "level", "message"]);
      const middle = events[3]?.offset ?? 0;
      const rest = await place.out("events", ready, "--json", "--from", String(middle));
      assert.equal(rest, `${json.slice(4).join("\n")}\n`);
      assert.equal(await place.out("events", ready, "--follow"), all);
    });

    test("oob lists keys and gets bytes, to standard output or to a file", async () => {
      assert.equal(await place.out("oob", "list", "count"), "words\n");
      assert.deepEqual(await place.json("oob", "list", "count"), ["words"]);
      const value = await place.out("oob", "get", ready, "words");
      assert.match(value, /^\d$/);
      await place.out("oob", "get", ready, "words", "-o", "words.txt");
      assert.equal(await readFile(join(place.folder, "words.txt"), "utf8"), value);
      const { base64 } = await place.json<{ base64: string }>("oob", "get", ready, "words");
      assert.equal(Buffer.from(base64, "base64").toString(), value);
      const wrong = await place.refused(["oob", "get", ready, "wrods"]);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /hint: Did you mean words\?/);
    });

    test("jobdict shows what was asked for, without running any of it", async () => {
      const text = await place.out("jobdict", "count");
      assert.match(text, new RegExp(`^${ready}\n`));
      assert.match(text, /^ {2}params\t\{ greeting: 'hi' \}$/m);
      assert.match(text, /^ {4}raw:\/\/be not be$/m);
      const dict = await place.json<Record<string, unknown>>("jobdict", "count");
      assert.deepEqual(dict["inputs"], ["raw://be not be", "raw://question be"]);
      assert.deepEqual(dict["params"], { greeting: "hi" });
      const pipeline = dict["pipeline"] as readonly Record<string, unknown>[];
      assert.deepEqual(
        pipeline.map(({ name, grouping }) => [name, grouping]),
        [
          ["map", "split"],
          ["reduce", "group_label"],
        ],
      );
      assert.equal(pipeline[0]?.["partitions"], 2);
    });

    test("wait is done at once with jobs that have ended, and says by its exit status which way", async () => {
      assert.match(await place.out("wait", ready), new RegExp(`^${ready}: ready, `));
      const both = await place.refused(["wait", ready, dead, "--json"]);
      assert.equal(both.code, 1);
      assert.doesNotMatch(both.stderr, /started|done/, "what is over makes no progress");
      const infos = JSON.parse(both.stdout) as readonly { readonly name: string; readonly status: string }[];
      assert.deepEqual(
        infos.map(({ name, status }) => [name, status]),
        [
          [ready, "ready"],
          [dead, "dead"],
        ],
      );
      assert.match(both.stderr, /> 4 \| {5}throw new RangeError/);
    });

    test("a reader that has enough is no error", async () => {
      const { code, stdout, stderr } = await place.disco(["events", ready], {
        started: (child) => child.stdout?.destroy(),
      });
      assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    });

    test("nodes shows the node, and the lists move it", async () => {
      assert.match(await place.out("nodes"), /^NODE +STATE +SLOTS.*\nlocalhost +ok +2 +0 /);
      const [node] = await place.json<Record<string, unknown>[]>("nodes");
      assert.equal(node?.["name"], "localhost");
      assert.equal(await place.out("nodes", "set", "localhost=3"), "localhost\t3\n");
      assert.deepEqual(await place.json("nodes", "set", "localhost=2"), [["localhost", "2"]]);
      assert.equal((await place.refused(["nodes", "set", "localhost"])).code, 2);
      assert.equal(await place.out("blacklist"), "");
      assert.equal(await place.out("blacklist", "localhost"), "localhost\n");
      assert.deepEqual(await place.json("blacklist"), ["localhost"]);
      assert.equal(await place.out("whitelist"), "");
      assert.match(await place.out("nodes"), /^localhost +blacklisted /m);
      assert.deepEqual(await place.json("whitelist", "localhost"), ["localhost"]);
      assert.deepEqual(await place.json("blacklist"), []);
      const wrong = await place.refused(["blacklist", "loclahost"]);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /there is no node loclahost\nhint: Did you mean localhost\?/);
    });

    // Once is enough for what is decided before a master is asked, or by the names alone.
    if (kind === "without a daemon") return;

    test("a job that is not there is refused with the one that was probably meant, by every command", async () => {
      const commands = ["job", "cat", "results", "mapresults", "events", "jobdict", "wait", "kill", "clean", "purge"];
      const all = commands.map((name) => [name, "cuont"]);
      for (const args of [...all, ["oob", "list", "cuont"], ["profile", "cuont"]]) {
        const refused = await place.refused(args);
        assert.equal(refused.code, 2, `${args.join(" ")}: ${refused.stderr}`);
        assert.match(refused.stderr, /there is no job cuont\n/);
        assert.ok(refused.stderr.includes(`hint: Did you mean ${ready}?`), refused.stderr);
      }
      const last = ready.at(-1) === "0" ? "1" : "0";
      const other = await place.refused(["job", ready.slice(0, -1) + last, "--json"]);
      assert.equal(other.code, 2);
      const { error } = JSON.parse(other.stdout) as { readonly error: Record<string, unknown> };
      assert.equal(error["code"], "unknown-job");
      assert.equal(error["hint"], `Did you mean ${ready}?`);
    });

    test("commands and options that are mistyped are answered with those that were meant", async () => {
      assert.match((await place.refused(["evnets", ready])).stderr, /Did you mean events\?/);
      assert.match((await place.refused(["cat", ready, "--haed", "2"])).stderr, /Did you mean --head\?/);
      assert.match(
        (await place.refused(["jobs", "--status", "daed"])).stderr,
        /Allowed choices are active, ready, dead/,
      );
      assert.equal((await place.refused(["jobs", "["])).code, 2);
    });
  });
}
