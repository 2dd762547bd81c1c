/** Jobs whose map or reduce is a program, from `external([…])` to the results, in one embedded engine. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Disco, external, type Job, kvgroup, netstrReader, nopReduce, resultIterator } from "disco-mapreduce";
import { startDaemon } from "../daemon/daemon.test-kit.ts";
import { noCompiler, noPython, noRust, Programs } from "../external/programs.test-kit.ts";

const programs = new Programs();
const disco = new Disco(undefined, { root: join(programs.folder, "root") });
const texts = join(import.meta.dirname, "..", "..", "examples", "data", "*.txt");
const python = join(import.meta.dirname, "..", "..", "examples", "external", "word_count.py");
/** Words that only Unicode's idea of lower case finds. */
const odd = "raw://\u212aelvin and \u0130stanbul, AND Ünder_score ﬁne";
const input = [texts, odd];

after(async () => {
  await disco.close();
  programs.remove();
});

/** A program of a few lines. */
function script(name: string, text: string, mode = 0o755): string {
  const file = join(programs.folder, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

async function records<K, V>(job: Job<K, V>): Promise<[K, V][]> {
  return Array.fromAsync(resultIterator(await job.wait()), ([key, value]) => [key, value]);
}

/** The word count of `npm start`, in TypeScript. */
async function counted(): Promise<Map<string, string>> {
  const job = await disco.newJob("typescript", {
    input,
    *map(line) {
      for (const word of line.toLowerCase().match(/[a-z]{2,}/g) ?? []) yield [word, 1] as const;
    },
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) yield [word, `${counts.reduce((sum, n) => sum + n, 0)}`] as const;
    },
    sort: true,
    partitions: 3,
  });
  return new Map(await records(job));
}

async function countedBy(program: string): Promise<Map<string, string>> {
  const words = external([program]);
  const job = await disco.newJob("external", { input, map: words, reduce: words, sort: true, partitions: 3 });
  const found = await records(job);
  assert.equal(new Map(found).size, found.length, "every word once");
  return new Map(found);
}

describe("a program in C", { skip: noCompiler }, () => {
  let wordCount = "";
  let check = "";

  before(() => {
    wordCount = programs.c("word-count", "examples/external/word-count.c", "ext/disco.c");
    check = programs.c("library-check", "test/external/library-check.c", "ext/disco.c");
  });

  it("counts the words that TypeScript counts, and Python", { skip: noPython }, async () => {
    const expected = await counted();
    assert.ok(expected.size > 250 && expected.has("kelvin") && expected.has("stanbul"));
    assert.deepEqual(await countedBy(wordCount), expected);
    assert.deepEqual(await countedBy(python), expected);
  });

  it("counts what Rust counts", { skip: noRust }, async () => {
    assert.deepEqual(
      await countedBy(programs.rust("word-count-rs", "examples/external/word-count.rs")),
      await counted(),
    );
  });

  it("takes 100 MB in the memory of one worker, and gives back as much", async () => {
    const file = join(programs.folder, "large.txt");
    const line = `${"0123456789 abcdefghijk".repeat(5)}\n`;
    const lines = Math.ceil((100 * 1024 * 1024) / line.length);
    writeFileSync(file, line.repeat(lines));
    const ways = programs.c("ways", "test/external/ways.c");
    // The output is as large as the input: workers that kept either would be above this limit.
    const job = await disco.newJob("large", {
      input: [file],
      map: external([ways]),
      reduce: (pairs) => {
        let bytes = 0;
        for (const [, value] of pairs) bytes += value.length + 1;
        return [["bytes", bytes]] as const;
      },
      splitBytes: 0,
      memoryLimit: 160,
      extParams: "one\n",
    });
    assert.deepEqual(await records(job), [["bytes", lines * line.length]]);
  });

  it("stands beside functions of TypeScript, on either side", async () => {
    const mapped = await disco.newJob("map_in_c", {
      input: ["raw://b a b", "raw://a b"],
      map: external([wordCount]),
      combiner(word, count, buffer, done) {
        if (!done) buffer.set(word, `${Number(buffer.get(word) ?? 0) + Number(count)}`);
      },
      partition: (word, partitions) => word.charCodeAt(0) % partitions,
      *reduce(pairs) {
        for (const [word, counts] of kvgroup(pairs))
          yield [word, counts.reduce((sum, n) => sum + Number(n), 0)] as const;
      },
      sort: true,
      partitions: 2,
    });
    // Words of one letter are none to the program.
    assert.deepEqual(await records(mapped), []);
    const reduced = await disco.newJob("reduce_in_c", {
      input: ["raw://bb aa bb", "raw://aa bb"],
      map: (line) => line.split(" ").map((word) => [word, 1] as const),
      reduce: external([wordCount]),
      sort: true,
    });
    assert.deepEqual(await records(reduced), [
      ["aa", "2"],
      ["bb", "3"],
    ]);
  });

  it("is a stage of a pipeline", async () => {
    const map = external([wordCount]);
    const job = await disco.newJob("stages", {
      input: ["raw://bb aa bb", "raw://aa bb"],
      pipeline: [
        { map, partitions: 2 },
        { reduce: map, sort: true },
        { reduce: nopReduce, grouping: "group_all", sort: true },
      ],
    });
    assert.deepEqual(await records(job), [
      ["aa", "2"],
      ["bb", "3"],
    ]);
  });

  it("gets its parameters, keys with the values, and logs messages of the job", async () => {
    const program = external([check]);
    const extParams = { message: "a ü\nb", "one two three": "dim\ndam\n", "": "empty" };
    const netstrings = "raw://1 k 1 v\n0  2 zz\n3 abc 0 \n";
    const job = await disco.newJob("params", {
      input: [netstrings],
      mapReader: netstrReader,
      map: program,
      reduce: program,
      sort: true,
      extParams,
    });
    // The map swaps, and leaves out what has no value; the reduce swaps back.
    assert.deepEqual(await records(job), [
      ["k", "v"],
      ["records", "2"],
      ["one two three", "dim\ndam\n"],
      ["unnamed", "empty"],
    ]);
    const messages: string[] = [];
    for await (const [, event] of disco.events(job)) messages.push(JSON.stringify(event));
    const all = messages.join("\n");
    assert.match(all, /a ü b 42/);
    assert.match(all, /3 records/);
    assert.match(all, /2 records/);
  });

  it("finds a library that comes along with it", async () => {
    const library = programs.library("answer", "int answer(void);\nint answer(void) { return 42; }\n");
    const source = script(
      "with-library.c",
      `#include "disco.h"
#include <stdio.h>
int answer(void);
int main(void) {
    struct disco_item key, value;
    char text[8];
    int size = snprintf(text, sizeof text, "%d", answer());
    disco_start(DISCO_MAP);
    while (disco_next(&key, &value)) disco_emit(value.data, value.size, text, (size_t)size);
    return disco_finish();
}
`,
    );
    const program = programs.c("with-library", source, "ext/disco.c", `-L${programs.folder}`, "-lanswer");
    const job = await disco.newJob("library", { input: ["raw://x"], map: external([program, library]) });
    assert.deepEqual(await records(job), [["x", "42"]]);
  });

  it("ends its job by disco_fatal, and by disco_data_error has it tried again", async () => {
    const program = external([check]);
    const job = await disco.newJob("fatal", { input: ["raw://bad\ngood"], map: program, extParams: { fatal: "bad" } });
    await assert.rejects(job.wait(), /map \(library-check\): fatal: bad/);
    const data = await disco.newJob("data", {
      input: ["raw://bad\ngood"],
      map: program,
      extParams: { data: "bad" },
      retries: 1,
    });
    await assert.rejects(data.wait(), /data: bad/);
  });
});

describe("on a daemon", { skip: noCompiler }, () => {
  it("a program in C counts what it counts in the embedded engine", async () => {
    const program = programs.c("word-count-daemon", "examples/external/word-count.c", "ext/disco.c");
    await using daemon = await startDaemon();
    await using remote = new Disco(daemon.address);
    const words = external([program]);
    const job = await remote.newJob("external", { input: [odd], map: words, reduce: words, sort: true });
    const expected = ["and 2", "kelvin 1", "nder 1", "ne 1", "score 1", "stanbul 1"];
    assert.deepEqual(
      (await records(job)).map((pair) => pair.join(" ")),
      expected,
    );
  });
});

describe("files of programs", () => {
  const copy = "#!/bin/sh\nread n\ncat >/dev/null\n";
  /** A list of one pair: a key of one letter, a value. */
  const list = (key: string, command: string): string =>
    `v=$(${command}); printf '\\001\\000\\000\\000\\001\\000\\000\\000${key}'; printf "\\\\$(printf %o \${#v})\\\\000\\\\000\\\\000%s" "$v"\n`;

  it("lie flat in one directory, the working directory, with required files, and libraries are found there", async () => {
    const map = script("a/run", `${copy}${list("a", "cat conf.txt")}`);
    const reduce = script(
      "b/run",
      copy +
        list("b", "cat conf.txt required.txt; echo; ls | sort | tr '\\n' ' '") +
        // Of a directory with a colon in its name, as those of jobs have it, the library path says ".".
        list("c", "echo $1 $(echo $LD_LIBRARY_PATH | cut -d: -f1)"),
    );
    const conf = script("a/conf.txt", "configured", 0o644);
    const job = await disco.newJob("files", {
      input: ["raw://x"],
      map: external([map, conf]),
      reduce: external([reduce, conf]),
      requiredFiles: { "required.txt": "+required" },
    });
    assert.deepEqual(await records(job), [
      ["b", "configured+required\nconf.txt reduce-run required.txt run "],
      ["c", "reduce ."],
    ]);
  });

  it("are text, unless bytes are asked for, and bytes that are no text are an error", async () => {
    const file = script(
      "bytes",
      `${copy}printf '\\001\\000\\000\\000\\001\\000\\000\\000k\\002\\000\\000\\000\\377\\000'\n`,
    );
    const job = await disco.newJob("bytes", { input: ["raw://x"], map: external([file], { values: "bytes" }) });
    assert.deepEqual(await records(job), [["k", Uint8Array.of(255, 0)]]);
    const text = await disco.newJob("text", { input: ["raw://x"], map: external([file]), retries: 0 });
    await assert.rejects(
      text.wait(),
      /map \(bytes\): the external program wrote a value of 2 bytes that is not UTF-8: ff00/,
    );
  });

  it("get raw parameters as they are", async () => {
    const file = script("raw", `#!/bin/sh\nread line\ncat >/dev/null\n${list("k", "echo $line")}`);
    for (const extParams of ["any format\n", new TextEncoder().encode("any format\n")]) {
      const job = await disco.newJob("raw", { input: ["raw://x"], map: external([file]), extParams });
      assert.deepEqual(await records(job), [["k", "any format"]]);
    }
  });

  it("hang no longer than the job's taskTimeout, and are gone then, with all that they started", async () => {
    const pids = join(programs.folder, "pids");
    const file = script("hang", `#!/bin/sh\necho $$ >>${pids}\nsleep 60 & echo $! >>${pids}\nwait\n`);
    const job = await disco.newJob("hang", { input: ["raw://x"], map: external([file]), taskTimeout: 2, retries: 0 });
    await assert.rejects(job.wait(), /no progress for 2 s: the task was killed/);
    const found = readFileSync(pids, "utf8").trim().split("\n");
    assert.equal(found.length, 2);
    for (const pid of found) assert.ok(!existsSync(`/proc/${pid}`) || isZombie(pid), `process ${pid} lives`);
  });
});

function isZombie(pid: string): boolean {
  return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}
