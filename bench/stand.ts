/**
 * Where benchmarks run: a folder with the scripts of `bench/` and, in `node_modules/disco-mapreduce`, the package as npm installs
 * it: the commands and the build, no sources. So what is measured is what users have, and the scripts of one checkout can measure
 * the package of another. `src/` and `sim/` are there too, for what a baseline takes from inside (the block codec) and for the
 * scheduler alone; jobs never see them.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { ProcessGroups } from "./process-group.ts";

const packageName = "disco-mapreduce";
const here = join(import.meta.dirname, "..");
const sourceCondition = "--conditions=disco-source";

export interface Stand extends Disposable {
  /** What is measured, in words: a path, or a revision. */
  readonly name: string;
  /** The folder of the benchmarks' scripts. */
  readonly bench: string;
  readonly nodeOptions: string;
}

/** Runs from the sources of this checkout, as it stands. */
export function sourceStand(): Stand {
  return {
    name: `${here}, from source`,
    bench: import.meta.dirname,
    nodeOptions: `${plainNodeOptions()} ${sourceCondition}`.trim(),
    [Symbol.dispose]: () => undefined,
  };
}

/** Builds a checkout, this one by default, and sets its package up beside a copy of this checkout's benchmarks. */
export async function packageStand(groups: ProcessGroups, checkout = here, name = checkout): Promise<Stand> {
  await run(groups, process.execPath, [join("scripts", "build.ts")], checkout);
  const folder = mkdtempSync(join(tmpdir(), "disco-bench-stand-"));
  try {
    const bench = join(folder, "bench");
    const skipped = new Set(["data", "node_modules"]);
    cpSync(import.meta.dirname, bench, { recursive: true, filter: (path) => !skipped.has(basename(path)) });
    symlinkSync(dataFolder(), join(bench, "data"));
    symlinkSync(join(checkout, "src"), join(folder, "src"));
    symlinkSync(join(checkout, "sim"), join(folder, "sim"));
    // Scripts are modules, and none of them is this package.
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    linkDependencies(join(checkout, "node_modules"), join(folder, "node_modules"));
    const installed = join(folder, "node_modules", packageName);
    for (const part of ["package.json", "bin", "dist", "ext", "examples"]) {
      // Versions from before external programs have no ext.
      if (existsSync(join(checkout, part))) cpSync(join(checkout, part), join(installed, part), { recursive: true });
    }
    return {
      name,
      bench,
      nodeOptions: plainNodeOptions(),
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Whether there is such a checkout, by its path, or such a git revision of this one. */
export function isStand(pathOrRevision: string): boolean {
  if (isCheckout(pathOrRevision)) return true;
  const commit = `${pathOrRevision}^{commit}`;
  return spawnSync("git", ["rev-parse", "--verify", "--quiet", "--end-of-options", commit], { cwd: here }).status === 0;
}

const isCheckout = (path: string): boolean => existsSync(join(path, "package.json"));

/** The package of another checkout, by its path, or of a git revision of this one, which is checked out for the while. */
export async function otherStand(groups: ProcessGroups, pathOrRevision: string): Promise<Stand> {
  if (isCheckout(pathOrRevision)) return packageStand(groups, pathOrRevision);
  const folder = mkdtempSync(join(tmpdir(), "disco-bench-revision-"));
  const removeTree = (): void => {
    spawnSync("git", ["worktree", "remove", "--force", folder], { cwd: here });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await run(groups, "git", ["worktree", "add", "--quiet", "--detach", folder, pathOrRevision], here);
    const lock = "package-lock.json";
    if (readFileSync(join(folder, lock)).equals(readFileSync(join(here, lock)))) {
      symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
    } else {
      await run(groups, "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], folder);
    }
    const stand = await packageStand(groups, folder, pathOrRevision);
    return {
      ...stand,
      [Symbol.dispose]: () => {
        stand[Symbol.dispose]();
        removeTree();
      },
    };
  } catch (error) {
    removeTree();
    throw error;
  }
}

/** Where data are kept, made if need be: stands share them. */
export function dataFolder(): string {
  const folder = join(import.meta.dirname, "data");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** `NODE_OPTIONS` of whoever called, without the condition that npm scripts of a checkout run under. */
function plainNodeOptions(): string {
  return (process.env["NODE_OPTIONS"] ?? "")
    .split(/\s+/)
    .filter((option) => option !== sourceCondition)
    .join(" ");
}

/** Every package by a link of its own: the one that is measured stands among them. */
function linkDependencies(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === packageName) continue;
    if (!name.startsWith("@")) {
      symlinkSync(join(from, name), join(to, name));
      continue;
    }
    mkdirSync(join(to, name));
    for (const scoped of readdirSync(join(from, name))) symlinkSync(join(from, name, scoped), join(to, name, scoped));
  }
}

async function run(groups: ProcessGroups, command: string, args: readonly string[], cwd: string): Promise<void> {
  const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, NODE_OPTIONS: plainNodeOptions(), PATH: path };
  const { code, signal, stdout, stderr } = await groups.run(command, args, { cwd, env });
  if (code === 0) return;
  throw new Error(`${command} ${args.join(" ")} failed in ${cwd} (${code ?? signal}):\n${stdout}${stderr}`);
}
