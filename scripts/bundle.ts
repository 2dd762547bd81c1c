/**
 * Puts the hundreds of modules of `src/` into a few files. What a process pays for at its start is less the code than the number
 * of files: finding, reading, linking and compiling each costs a quarter of a millisecond, and a worker needs 150 of them.
 *
 * B1. A file holds what is loaded together (`together`), so that importing the package loads no engine, and a worker no client. What
 *     a module imports later (`import()`) is not loaded with it.
 * B2. The files lie side by side at the top of `dist/`, but for the entries, which lie where the sources have them. Whoever looks for a
 *     file of ours asks `src/package-files.ts`.
 * B3. Nothing is renamed for size: stacks and profiles show our names, and a comment before each module says which it is
 *     (`src/worker/profile/own-modules.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { licensesOf } from "./licenses.ts";

/** What is started, imported or required by its address (`packageModule`), or by the files of `bin/`. */
const started = [
  "cli/disco",
  "cli/ddfs",
  "worker/main",
  "worker/watch-thread",
  "schemes/io/thread",
  "settings/adopt",
  "node/spare-worker",
];

/**
 * Packages that are put into our files as well: as their own many small ones they take 15 ms to load, for every first job of a
 * process. Their licences lie beside them.
 */
const included: ReadonlySet<string> = new Set(["eslint-scope", "esrecurse", "estraverse"]);

const client = ["index"];
const worker = ["worker/worker-loop"];
const packing = ["client/job-pack"];
const engine = ["master/embedded"];

/**
 * Files, and which modules each holds: those that one of the modules named imports, in each of the lists. A module is in the first file
 * that fits, so that a file imports only from those before it.
 */
const together: readonly { readonly name: string; readonly lists: readonly (readonly string[])[] }[] = [
  { name: "base", lists: [client, worker] },
  { name: "client", lists: [client] },
  { name: "fork", lists: [["node/spare-worker"]] },
  { name: "shared", lists: [worker, [...packing, ...engine]] },
  { name: "work", lists: [worker] },
  { name: "packing", lists: [packing] },
  { name: "engine", lists: [engine] },
  { name: "daemon", lists: [["master/daemon"]] },
  { name: "command", lists: [["cli/run/run"]] },
];

interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

export async function bundle(root: string, dist: string): Promise<void> {
  const path = (module: string): string => join(root, "src", `${module}.ts`);
  const closures = new Map<string, ReadonlySet<string>>();
  const closure = (module: string, graph: ModuleGraph): ReadonlySet<string> => {
    const known = closures.get(module) ?? reachable(path(module), graph);
    closures.set(module, known);
    return known;
  };
  const fileOf = (id: string, graph: ModuleGraph): string | null =>
    together.find(({ lists }) => lists.every((list) => list.some((module) => closure(module, graph).has(id))))?.name ??
    null;
  const built = await rolldown({
    cwd: root,
    input: Object.fromEntries([...publicEntries(root), ...started].map((name) => [name, path(name)])),
    platform: "node",
    external: (id) => !/^[./]/.test(id) && !included.has(id),
    treeshake: false,
    preserveEntrySignatures: "allow-extension",
  });
  const { output } = await built.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    comments: { jsdoc: false },
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ debugName: "together", name: fileOf }] },
  });
  await built.close();
  writeFileSync(join(dist, "third-party-licenses.txt"), licensesOf(root, included));
  for (const file of output) {
    if (file.type !== "chunk" || !file.code.includes("import.meta.url") || !file.fileName.includes("/")) continue;
    throw new Error(`bundle: ${file.fileName} looks for files relative to itself; package-files.ts is to be asked`);
  }
}

/** `index` and whatever else package.json exports. */
function publicEntries(root: string): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  return Object.values(exports).flatMap((target: unknown) => {
    const source = (target as { readonly "disco-source"?: string })["disco-source"];
    const name = source === undefined ? undefined : /^\.\/src\/(.+)\.ts$/.exec(source)?.[1];
    return name === undefined ? [] : [name];
  });
}

/** A module and all that it imports statically. */
function reachable(entry: string, graph: ModuleGraph): Set<string> {
  const found = new Set([entry]);
  for (const id of found) for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}
