/** `disco run` as a shell sees it: what goes to which stream, exit codes, JSON, Ctrl-C. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Finished, runDisco } from "./run-disco.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-cli-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Writes a job's module and runs it. */
async function runJob(name: string, source: string, ...args: string[]): Promise<Finished> {
  await writeFile(join(folder, name), source);
  return runDisco(["run", name, ...args], { root: join(folder, "root"), cwd: folder });
}

const wordLengths = `
  export default {
    input: ["raw://be not question"],
    params: { add: 0 },
    map: (line: string, params: { add: number }) =>
      line.split(" ").map((word) => [word, word.length + params.add] as const),
  };
`;

test("results go to standard output and progress to standard error", async () => {
  const done = await runJob("lengths.ts", wordLengths);
  assert.equal(done.code, 0, done.stderr);
  const lines = done.stdout.split("\n");
  assert.deepEqual(lines.slice(0, 3), ["  be        2", "  not       3", "  question  8"]);
  assert.match(done.stdout, /^lengths@\S+: \d.*3 results$/m);
  assert.match(done.stderr, /^lengths@\S+: map done, 1 task/m);
  const name = /^(lengths@\S+):/m.exec(done.stdout)?.[1] ?? "";

  const root = join(folder, "root");
  assert.equal((await runDisco(["cat", name], { root })).stdout, "be\t2\nnot\t3\nquestion\t8\n");
  assert.match((await runDisco(["jobs"], { root })).stdout, new RegExp(`^${name} +ready`, "m"));
  const short = await runDisco(["purge", "lengths"], { root });
  assert.equal(short.code, 2);
  assert.ok(short.stderr.includes(`disco purge ${name}`), short.stderr);
  assert.equal((await runDisco(["purge", name], { root })).code, 0);
  const gone = await runDisco(["cat", name], { root });
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /there is no job lengths@/);
});

test("the command line's inputs, parameters and name take the place of the job's", async () => {
  await writeFile(join(folder, "text.txt"), "four\nseven77\n");
  const done = await runJob("lengths.ts", wordLengths, "text.txt", "-P", "add=100", "--name", "other", "--output", "-");
  assert.equal(done.code, 0, done.stderr);
  assert.equal(done.stdout, "four\t104\nseven77\t107\n");
  assert.match(done.stderr, /^other@/m);
});

test("a function gets the inputs, the parameters and a connected Disco", async () => {
  const source = `
    import { Disco, resultIterator } from "disco-mapreduce";
    export default async ({ disco, inputs, params }) => {
      console.log(disco instanceof Disco, inputs, params);
      const job = await disco.newJob("mine", { input: ["raw://x"], map: (line) => [[line, 1]] });
      const results = await job.wait();
      await job.purge();
      console.log(results.length);
    };
  `;
  const done = await runJob("mine.js", source, "a.txt", "b.txt", "-P", "k=3", "-P", 'list=["x"]', "-P", "text=a=b");
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^true \[ 'a.txt', 'b.txt' \] \{ k: 3, list: \[ 'x' \], text: 'a=b' \}\n1\nmine@/);
  assert.doesNotMatch(done.stdout, /purge/);
});

test("a job's module may lie where package.json says CommonJS, beside other modules", async () => {
  const place = join(folder, "commonjs");
  await mkdir(place);
  await writeFile(join(place, "package.json"), '{ "type": "commonjs" }');
  await writeFile(join(place, "words.ts"), "export const words = (line: string): string[] => line.split(' ');");
  await writeFile(
    join(place, "job.ts"),
    `import { JobDict } from "disco-mapreduce";
     import { words } from "./words.ts";
     export default new JobDict({ input: ["raw://a b"], map: (line) => words(line).map((word) => [word, 1] as const) });`,
  );
  const done = await runDisco(["run", "job.ts", "-o", "-", "-q"], { root: join(folder, "root"), cwd: place });
  assert.equal(done.stdout, "a\t1\nb\t1\n", done.stderr);
  assert.equal(done.stderr, "");
});

test("what job functions print appears with the task's name, and what the module prints is not swallowed", async () => {
  const source = `
    console.log("module");
    export default {
      input: ["raw://a", "raw://b"],
      map(line) { console.log("entry", line); return [[line, 1]]; },
    };
  `;
  const done = await runJob("talks.js", source, "--json");
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /^module$/m);
  assert.match(done.stderr, /^\[map:0\] entry a$/m);
  assert.match(done.stderr, /^\[map:1\] entry b$/m);
  const document = JSON.parse(done.stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(document), ["version", "ok", "results", "jobs", "error"]);
  assert.equal(document["ok"], true);
  assert.equal((document["results"] as string[]).length, 2);
});

test("a job that dies is exit code 1, with the place in the user's file", async () => {
  const source = `export default {
  input: ["raw://a"],
  map(line: string) {
    throw new RangeError("not " + line);
  },
};`;
  const done = await runJob("dies.ts", source);
  assert.equal(done.code, 1);
  assert.match(done.stderr, /RangeError: not a/);
  assert.match(done.stderr, /dies\.ts:4:11/);
  assert.match(done.stderr, /> 4 \| {5}throw new RangeError/);
  assert.doesNotMatch(done.stderr, /src\/(?:worker|client|cli)\//);

  const json = await runJob("dies.ts", source, "--json");
  assert.equal(json.code, 1);
  const { ok, jobs, error } = JSON.parse(json.stdout) as {
    ok: boolean;
    jobs: { status: string }[];
    error: Record<string, unknown>;
  };
  assert.equal(ok, false);
  assert.equal(jobs[0]?.status, "dead");
  assert.equal(error["code"], "user-error");
  assert.deepEqual([error["file"], error["line"], error["column"]], [join(folder, "dies.ts"), 4, 11]);
});

test("what is wrong before anything starts is exit code 2 and names the culprit", async () => {
  const root = join(folder, "root");
  const cases: [run: Promise<Finished>, complaint: RegExp][] = [
    [runDisco(["run", "missing.ts"], { root }), /the job file missing\.ts does not exist/],
    [runJob("data.json", '{ "input": [] }'), /data\.json is not a module\nhint: Give the path of a \.ts, /],
    [runDisco(["frobnicate"], { root }), /^error: unknown command 'frobnicate'\nhint: `disco --help`/],
    [runDisco(["run"], { root }), /missing required argument 'job'/],
    [runDisco(["run", "x.ts", "--partitions", "1.5"], { root }), /--partitions.*whole number/],
    [runJob("nothing.ts", "export const job = 1;"), /default export of nothing\.ts must be a job/],
    [runJob("typo.ts", "export default { input: ['raw://a'], mapp: () => [] };"), /mapp/],
    [runJob("absent.ts", wordLengths, "absent.txt"), /absent\.txt/],
    [runJob("lengths.ts", wordLengths, "-P", "novalue"), /key=value was expected/],
  ];
  for (const [run, complaint] of cases) {
    const done = await run;
    assert.match(done.stderr, complaint);
    assert.equal(done.code, 2, done.stderr);
    assert.equal(done.stdout, "");
  }
});

test("an error of the module's own code shows its place", async () => {
  const done = await runJob("throws.ts", "const words: string[] = [];\n\nexport default words[0]!.length;\n");
  assert.equal(done.code, 1);
  assert.match(done.stderr, /TypeError: Cannot read/);
  assert.match(done.stderr, /throws\.ts:3:\d+/);
  assert.match(done.stderr, /> 3 \| export default/);

  const lost = await runJob("lost.ts", "import 'no-such-package';\nexport default {};\n");
  assert.match(lost.stderr, /Cannot find package 'no-such-package'/);
  assert.match(lost.stderr, /hint: Install it/);
  assert.doesNotMatch(lost.stderr, /modules\//, "frames inside Node are not the user's place");
});

test("a syntax error shows its line and column, in TypeScript as in JavaScript", async () => {
  const line = 'export default { input: ["raw://a"], map: (l) => [[l, 1]], ]';
  for (const name of ["syntax.ts", "syntax.mjs", "syntax.js"]) {
    const { code, stderr } = await runJob(name, line);
    assert.equal(code, 1);
    assert.match(stderr, /^SyntaxError: Unexpected token/);
    assert.ok(stderr.includes(`${name}:1:${line.length}\n`), stderr);
    assert.ok(stderr.includes(`\n  > 1 | ${line}\n      | ${" ".repeat(line.length - 1)}^`), stderr);
  }
  const cut = await runJob("cut.ts", "const a = 1;\nexport default {");
  assert.match(cut.stderr, /cut\.ts:2:17\n/);
});

const endless = `export default {
  input: ["raw://a"],
  map(line) { console.log("spinning"); for (;;); },
};`;

test("Ctrl-C kills the job, says so, and is exit code 130", async () => {
  await writeFile(join(folder, "endless.js"), endless);
  const root = join(folder, "interrupted");
  const done = await runDisco(["run", "endless.js"], { root, cwd: folder, started: (child) => interrupt(child, 1) });
  assert.equal(done.code, 130);
  assert.match(done.stderr, /killing endless@\S+ \(Ctrl-C again: at once\)/);
  assert.doesNotMatch(done.stderr, /killing[^]*: map/, "how far it was is no news any more");
  assert.match((await runDisco(["jobs"], { root })).stdout, /^endless@\S+ +dead/m);
});

test("Ctrl-C twice ends at once", async () => {
  const source = `export default () => new Promise((done) => { console.error("spinning"); setTimeout(done, 60_000); });
    process.on("exit", () => console.error("exits"));`;
  await writeFile(join(folder, "waits.js"), source);
  const root = join(folder, "twice");
  const done = await runDisco(["run", "waits.js"], { root, cwd: folder, started: (child) => interrupt(child, 2) });
  assert.equal(done.code, 130);
});

/** Sends SIGINT once the job says that it spins, and again when the first was noticed. */
function interrupt(child: Parameters<NonNullable<Parameters<typeof runDisco>[1]["started"]>>[0], times: number): void {
  let sent = 0;
  child.stderr?.on("data", (text: string) => {
    if (sent === 0 && text.includes("spinning")) sent = Number(child.kill("SIGINT"));
    else if (sent === 1 && times === 2 && text.includes("again")) child.kill("SIGINT");
  });
}

test("all results go to a file, as lines of JSON where its name says so", async () => {
  const done = await runJob("lengths.ts", wordLengths, "--output", "lengths.jsonl");
  assert.equal(done.code, 0, done.stderr);
  assert.equal(await readFile(join(folder, "lengths.jsonl"), "utf8"), '["be",2]\n["not",3]\n["question",8]\n');
  assert.match(done.stdout, /^written: lengths\.jsonl$/m);
});

test("a place where the results cannot be written is refused before the job starts", async () => {
  const failed = await runJob("lengths.ts", wordLengths, "--output", "no/such/folder.tsv");
  assert.equal(failed.code, 2);
  assert.match(failed.stderr, /--output no\/such\/folder\.tsv: there is no folder .*no\/such/);
  assert.doesNotMatch(failed.stderr, /started/);
  assert.match((await runJob("lengths.ts", wordLengths, "--output", ".")).stderr, /--output \. is a folder/);
});

test("refused arguments are a document too where --json was asked for", async () => {
  for (const args of [
    ["--json", "--partitions", "0"],
    ["--json", "--params", "novalue"],
    ["--json", "--wrokers", "2"],
  ]) {
    const done = await runJob("lengths.ts", wordLengths, ...args);
    assert.equal(done.code, 2);
    const { version, ok, jobs, error } = JSON.parse(done.stdout) as Record<string, unknown>;
    assert.deepEqual({ version, ok, jobs }, { version: 1, ok: false, jobs: [] });
    assert.match((error as { message: string }).message, new RegExp((args[1] as string).slice(2)));
  }
  const slip = await runDisco(["jobs", "--statu", "dead", "--json"], { root: join(folder, "root") });
  const { name, code, message, hint, file } = JSON.parse(slip.stdout).error as Record<string, unknown>;
  assert.deepEqual([name, code, message, file], ["DiscoError", "bad-argument", "unknown option '--statu'", null]);
  assert.match(String(hint), /^Did you mean --status\?/);
});
