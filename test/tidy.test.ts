/**
 * House rules that a machine can check (CONTRIBUTING.md has the reasons): which folder may import which, names and sizes
 * of files, and what the deciding core must not touch.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const linesMax = 400;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const sources = globSync("{src,test,sim,bench,examples,scripts,bin}/**/*.{ts,js}", { cwd: root })
  .filter((path) => !/(?:^|\/)(?:fixtures|node_modules|dist|data)\//.test(path))
  .sort()
  .map(readSource);
const product = sources.filter(({ path }) => path.startsWith("src/") && !isTest(path));

/**
 * What a folder of `src/` may import besides itself, `errors.ts` and `package-files.ts`. `name:types` allows types only; a path allows one
 * file. A dynamic import counts like any other.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "index.ts": ["node-version.ts", "client", "worker", "protocol", "fn", "core:types", "cli:types"],
  "node-version.ts": [],
  "errors.ts": [],
  "package-files.ts": ["node-version.ts"],
  "package-version.ts": [],
  "root-directory.ts": [],
  "wake.ts": [],
  core: ["protocol/messages.ts:types", "client/master-api.ts:types"],
  protocol: ["core"],
  // Stores of blobs: volumes of a node, S3.
  blobs: ["protocol", "core", "s3"],
  // What the master does for DDFS.
  ddfs: ["core", "protocol", "bus", "blobs", "client/ddfs/ddfs-api.ts:types"],
  bus: ["protocol", "nats", "http"],
  // One file an engine: what its connection, its settings and its checks need.
  nats: [],
  postgres: [],
  // Readers of blobs in S3 know how their sums are written.
  s3: ["blobs/volumes/sum.ts"],
  // What every server of ours does alike: who may ask, from where, how much.
  http: ["settings"],
  journal: ["core", "protocol", "nats", "postgres", "wake.ts"],
  lease: ["nats", "postgres"],
  lines: ["nats", "postgres", "wake.ts", "client/master-api.ts:types"],
  schemes: ["protocol", "core:types", "s3", "blobs/volumes/sum.ts"],
  shipping: ["protocol", "core:types", "worker/own.ts", "worker/own-functions.ts"],
  worker: ["protocol", "schemes", "shipping", "core", "fn"],
  fn: ["protocol", "worker/own.ts"],
  node: ["protocol", "blobs", "bus", "nats", "core", "http", "schemes", "settings", "package-version.ts"],
  // One list of names for "did you mean".
  settings: ["root-directory.ts", "client/nearest-name.ts", "protocol/master-list.ts"],
  master: [
    "core",
    "ddfs",
    "blobs",
    "journal",
    "bus",
    "lease",
    "lines",
    "nats",
    "postgres",
    "node",
    "http",
    "protocol",
    "settings",
    "package-version.ts",
    "root-directory.ts",
    // Indexes of results that jobs hand on to jobs.
    "schemes/dir.ts",
    "schemes/disco.ts",
    "client/master-api.ts:types",
    "client/ddfs/ddfs-api.ts:types",
  ],
  client: [
    "protocol",
    "core",
    "s3",
    "shipping",
    "schemes",
    "worker",
    "fn",
    "settings",
    "package-version.ts",
    "root-directory.ts",
    "master/embedded.ts",
    "blobs/http/node-blob.ts",
    // Started before the engine is loaded.
    "node/spare-worker.ts",
  ],
  // Runs in browsers; files of the page are read from disk, and imported by nobody.
  web: ["client/master-api.ts:types"],
  cli: [
    "client",
    "index.ts",
    "settings",
    "package-version.ts",
    "root-directory.ts",
    "shipping/module-format.ts",
    "master/cluster-master.ts",
    "master/engine-ports.ts",
    "master/rebuild.ts",
    "node/node-process.ts",
    "node/node-bus.ts",
    "node/volume-lock.ts",
    // Checks of workers are made with the node's side of their protocol.
    "node/foreign/environment.ts",
    "node/foreign/session.ts",
    "node/foreign/session-inputs.ts",
    "nats/version.ts",
    "master/daemon.ts",
    "master/log.ts",
    "journal/sqlite.ts",
    "protocol",
    "core/ddfs/names.ts",
  ],
};

test("imports go in the directions that the table allows", () => {
  const wrong = product.flatMap(({ path, imports }) => {
    const folder = folderOf(path);
    const allowed = mayImport[folder];
    assert.ok(allowed, `src/${folder} has no row in the table of imports`);
    return imports
      .filter((entry) => !isAllowed(path, folder, entry, allowed))
      .map((entry) => `${path}: ${entry.specifier}`);
  });
  assert.deepEqual(wrong, []);
});

test("relative imports name a file with its extension, and built-in modules have the node: prefix", () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => specifier.startsWith(".") && !/\.(?:ts|js|json)(?:\?.*)?$/.test(specifier))
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test("examples use the public entry point only", () => {
  const wrong = sources
    .filter(({ path }) => path.startsWith("examples/"))
    .flatMap(({ path, imports }) =>
      imports.filter(({ specifier }) => specifier.includes("/src/")).map(({ specifier }) => `${path}: ${specifier}`),
    );
  assert.deepEqual(wrong, []);
});

test("the core has no clock, randomness, timer, promise or I/O", () => {
  const banned =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\basync\b|\bawait\b|\bperformance\b|from "node:|\bprocess\./;
  const wrong = product
    .filter(({ path }) => path.startsWith("src/core/"))
    .flatMap(({ path, text }) => linesOf(text, banned).map((line) => `${path}:${line}`));
  assert.deepEqual(wrong, []);
});

test("files are kebab-case nouns of at most 400 lines, and no folder is a drawer", () => {
  const drawers = /(?:^|\/)(?:utils?|helpers?|common|types|classes|misc|lib)(?:\/|\.ts$)/;
  const wrong = sources.flatMap(({ path, text }) => {
    const names = path.split("/").slice(1);
    return [
      ...(names.every((name) =>
        /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:(?:process\.)?test|test-kit))?(?:\.(?:d\.)?[tj]s)?$/.test(name),
      )
        ? []
        : [`${path}: name`]),
      ...(/-(?:manager|impl)\.ts$/.test(path) ? [`${path}: name`] : []),
      ...(drawers.test(path) && !path.startsWith("test/types/") ? [`${path}: folder`] : []),
      ...(text.split("\n").length > linesMax ? [`${path}: more than ${linesMax} lines`] : []),
    ];
  });
  assert.deepEqual(wrong, []);
});

test("no default exports, no export *, no unfinished business, no any by assertion", () => {
  const rules: readonly (readonly [string, RegExp, RegExp])[] = [
    ["export *", /^export \* (?:from|as)/, /^src\//],
    ["default export", /^export default/, /^src\//],
    ["unfinished", /\b(?:TODO|FIXME|XXX|HACK)\b/, /^(?!test\/tidy)/],
    ["as any", /\bas any\b/, /^(?!test\/tidy)/],
    ["TypeScript that cannot be erased", /^\s*(?:export )?(?:const )?(?:enum|namespace) \w/, /./],
  ];
  const wrong = sources.flatMap(({ path, text }) =>
    rules
      .filter(([, , where]) => where.test(path))
      .flatMap(([name, pattern]) => linesOf(text, pattern).map((line) => `${path}:${line}: ${name}`)),
  );
  assert.deepEqual(wrong, []);
});

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const imports: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)";?$/gm)) {
    imports.push({ specifier: match[2] ?? "", typeOnly: match[1] !== undefined });
  }
  // Dynamic imports; those in types (`import("./x.ts").Name`) are types.
  for (const match of text.matchAll(/\bimport\("([^"]+)"\)(\.[A-Z])?/g)) {
    imports.push({ specifier: match[1] ?? "", typeOnly: match[2] !== undefined });
  }
  return { path, text, imports };
}

function isAllowed(path: string, folder: string, { specifier, typeOnly }: Import, allowed: readonly string[]): boolean {
  if (!specifier.startsWith(".")) return true;
  const target = relative("src", join(dirname(path), specifier.replace(/\?.*$/, "")));
  const targetFolder = target.split("/")[0] ?? "";
  if (target === "errors.ts" || target === "package-files.ts" || targetFolder === folder) return true;
  return allowed.some((rule) => {
    const [place, kind] = rule.split(":");
    return (place === target || place === targetFolder) && (kind === undefined || typeOnly);
  });
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function isTest(path: string): boolean {
  return /\.test(?:-kit)?\.ts$|\/fixtures\/|\/contract\.ts$|^src\/testing\//.test(path);
}

function linesOf(text: string, pattern: RegExp): number[] {
  return text
    .split("\n")
    .flatMap((line, index) => (!/^\s*(?:\*|\/\/|\/\*)/.test(line) && pattern.test(line) ? [index + 1] : []));
}
