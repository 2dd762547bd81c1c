/**
 * What npm would publish, as a stranger gets it: the packed tarball is installed into an empty folder, and README's jobs,
 * copied as they stand, run there and print what README says.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

const checkout = join(import.meta.dirname, "..");
const readme = readFileSync(join(checkout, "README.md"), "utf8");
let temporary = "";
let folder = "";
let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] };

/** The code block of README.md after the comment that begins with `<!-- name`. */
function block(name: string): string {
  const found = new RegExp(`<!-- ${name}\\b[^>]*-->\\n\`\`\`\\w+\\n([^]*?)\`\`\``).exec(readme);
  assert.ok(found?.[1] !== undefined, `README.md has no block ${name}`);
  return found[1];
}

function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  // npm exports its configuration, the checkout's as well, to the scripts that it runs.
  const kept = Object.entries(env).filter(([key]) => !/^npm_(?!config_(?:registry|cache|userconfig)$)/i.test(key));
  const own = { DISCO_ROOT: join(temporary, "root"), DISCO_PORT: "0", DISCO_CONFIG: "none", NO_COLOR: "1" };
  return { ...Object.fromEntries(kept), ...own };
}

function npx(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("npx", ["--no-install", ...args], { cwd: folder, encoding: "utf8", env: environment() });
}

describe("the packed package", () => {
  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), "disco-package-"));
    folder = join(temporary, "empty");
    await mkdir(folder);
    execFileSync(process.execPath, ["scripts/build.ts"], { cwd: checkout, stdio: "inherit" });
    const args = ["pack", "--ignore-scripts", "--json", "--loglevel=error", "--pack-destination", temporary];
    const output = execFileSync("npm", args, { cwd: checkout, encoding: "utf8", env: environment() });
    const answer: unknown = JSON.parse(output);
    // npm 11 answers with an array, npm 12 with an object by name.
    packed = Object.values(answer as object)[0] as typeof packed;
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", [...install, join(temporary, packed.filename)], { cwd: folder, env: environment() });
  });
  after(() => rm(temporary, { recursive: true, force: true }));

  test("holds the build, the commands and the papers, and neither sources nor tests", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      "bin/disco.js",
      "bin/ddfs.js",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/fn/index.js",
      "dist/fn/index.d.ts",
      "dist/web/index.html",
      "dist/web/job-page.js",
      "dist/web/page.css",
      "dist/third-party-licenses.txt",
      "README.md",
      "docs/api.md",
      "deploy/systemd/disco-node.service",
      "LICENSE",
      "ext/disco.h",
      "ext/disco.c",
      "examples/external/word_count.py",
    ]) {
      assert.ok(paths.includes(path), path);
    }
    assert.deepEqual(
      paths.filter((path) => /^(?:src|test|sim|bench|node_modules)\/|\.test\.|fixtures/.test(path)),
      [],
    );
  });

  test("holds what README links to", () => {
    const paths = packed.files.map(({ path }) => path);
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = ""]) => target);
    assert.ok(links.length > 10, links.join(" "));
    const dead = links.filter((target) => !paths.some((path) => path === target || path.startsWith(`${target}/`)));
    assert.deepEqual(dead, []);
  });

  test("runs README's job, which prints what README says", async () => {
    await writeFile(join(folder, "hamlet.ts"), block("readme-job"));
    const [command = "", ...expected] = block("readme-output").trimEnd().split("\n");
    assert.equal(command, "$ npx disco run hamlet.ts");
    const done = npx("disco", "run", "hamlet.ts");
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(done.stdout.split("\n").slice(0, expected.length), expected);
    assert.doesNotMatch(done.stderr, /warning/i);
  });

  test("runs README's daemon, which runs the job, lists it and stops", async (t) => {
    t.after(() => npx("disco", "stop", "--force"));
    await writeFile(join(folder, "hamlet.ts"), block("readme-job"));
    const outputs = block("readme-daemon")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const words = /^npx (disco .+?) *(?:#.*)?$/.exec(line)?.[1];
        assert.ok(words !== undefined, line);
        const done = npx(...words.split(" "));
        assert.equal(done.status, 0, `${words}: ${done.stderr}`);
        return done.stdout;
      });
    const [started, ran, jobs, stopped] = outputs as [string, string, string, string];
    assert.match(started, /http:\/\/127\.0\.0\.1:\d+/);
    assert.ok(ran.startsWith(block("readme-output").replace(/^.*\n/, "")), ran);
    assert.match(jobs, /hamlet@\S+ +ready/);
    assert.match(stopped, /has stopped/);
  });

  test("its commands on DDFS do what it says, without a daemon", () => {
    const commands = [...block("readme-ddfs").matchAll(/^npx (\S.*?) *(?:#.*)?$/gm)].map(([, words = ""]) => words);
    const outputs = commands.map((words) => {
      const done = npx(...words.split(" "));
      assert.equal(done.status, 0, `${words}: ${done.stderr}`);
      return done.stdout;
    });
    const [, listed, printed, ran] = outputs;
    assert.equal(outputs.length, 4);
    assert.equal(listed, "data:books\n");
    assert.equal(printed, readFileSync(join(folder, "hamlet.ts"), "utf8"));
    assert.match(ran ?? "", /^ *const +3$/m);
  });

  test("serves the web page, with every script that it names", async (t) => {
    t.after(() => npx("disco", "stop", "--force"));
    const started = npx("disco", "start", "--json");
    assert.equal(started.status, 0, started.stderr);
    const { url } = JSON.parse(started.stdout) as { url: string };
    const wanted = ["/", "/job.html", "/config.html"];
    for (const path of wanted) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200, path);
      const text = await response.text();
      const names = [
        ...[...text.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map(([, name]) => name),
        ...[...text.matchAll(/\bfrom\s*"\.\/([^"]+)"/g)].map(([, name]) => `/web/${name}`),
      ];
      for (const name of names) if (name !== undefined && !wanted.includes(name)) wanted.push(name);
    }
    assert.ok(wanted.includes("/web/keyed-list.js"), wanted.join(" "));
  });

  test("is a library for README's program", async () => {
    await writeFile(join(folder, "program.mts"), block("readme-program"));
    const done = spawnSync(process.execPath, ["program.mts"], { cwd: folder, encoding: "utf8", env: environment() });
    assert.equal(done.status, 0, done.stderr);
    const counts = done.stdout.trimEnd().split("\n").sort();
    assert.deepEqual(counts, ["be 2", "is 1", "not 1", "or 1", "question 1", "that 1", "the 1", "to 2"]);
    assert.equal(done.stderr, "");
  });

  test("is a few large files, and its profiles still tell what it does under the names of its parts", async () => {
    const files = packed.files.filter(({ path }) => /^dist\/(?!web\/).*\.js$/.test(path));
    const source = globSync("src/**/*.ts", { cwd: checkout, exclude: ["**/*.test.ts", "src/web/**"] });
    assert.ok(files.length < source.length / 3, `${files.length} files of ${source.length}`);
    await writeFile(join(folder, "profiled.mts"), profiledProgram);
    const done = spawnSync(process.execPath, ["profiled.mts"], { cwd: folder, encoding: "utf8", env: environment() });
    assert.equal(done.status, 0, done.stderr);
    const parts = done.stdout.trim().split("\n");
    assert.ok(parts.includes("(disco) run"), done.stdout);
    assert.ok(parts.includes("map"), done.stdout);
  });

  test("has its other commands", () => {
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
    assert.equal(npx("disco-mapreduce", "--version").stdout.trim(), version);
    assert.equal(npx("ddfs", "--version").stdout.trim(), version);
    assert.equal(npx("ddfs", "touch", "a").status, 0);
    assert.equal(npx("ddfs", "ls", "a").stdout, "a\n");
  });

  test("exports its public names, and no others", () => {
    const print = 'import("disco-mapreduce").then((names) => console.log(Object.keys(names).join(" ")))';
    const done = spawnSync(process.execPath, ["-e", print], { cwd: folder, encoding: "utf8", env: environment() });
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(done.stdout.trim().split(" "), publicNames);
    const builtIns = print.replace("disco-mapreduce", "disco-mapreduce/fn");
    const listed = spawnSync(process.execPath, ["-e", builtIns], { cwd: folder, encoding: "utf8", env: environment() });
    assert.equal(listed.stdout.trim(), builtInNames, listed.stderr);
    const inside = spawnSync(process.execPath, ["-e", 'import("disco-mapreduce/dist/core/master.js")'], {
      cwd: folder,
    });
    assert.match(String(inside.stderr), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });
});

const profiledProgram = `
import { Disco } from "disco-mapreduce";
await using disco = new Disco(undefined, { workers: 1 });
const job = await disco.newJob("profiled", {
  input: ["raw://x"],
  profile: true,
  map: (line) => {
    for (const end = performance.now() + 100; performance.now() < end; );
    return [[line, 1]] as const;
  },
});
await job.wait();
for (const { name } of (await job.profileStats()).functions) console.log(name);
`;

const publicNames = [
  "CommError",
  "DDFS",
  "DataError",
  "Disco",
  "DiscoError",
  "Job",
  "JobDict",
  "JobError",
  "JobPack",
  "Params",
  "bytesReader",
  "chainReader",
  "csvReader",
  "defaultPartition",
  "external",
  "gzipReader",
  "jobname",
  "jsonlReader",
  "kvgroup",
  "lineReader",
  "makeRangePartition",
  "mapLineReader",
  "netstrReader",
  "netstrWriter",
  "nopMap",
  "nopReduce",
  "objectReader",
  "objectWriter",
  "parseDir",
  "reReader",
  "resultIterator",
  "sumCombiner",
  "sumReduce",
  "task",
  "zstdReader",
];

const builtInNames = "count distinct field first grep identity last lines max min sum top words";
