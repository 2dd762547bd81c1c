/**
 * The external programs of a job, as they travel: among its required files, flat, under their own names. Two files with one name are
 * refused unless they are the same file; two programs with one name are not, as a job may well have a `map/run` and a
 * `reduce/run`: the second one is called after its place.
 */
import { constants, type Stats, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { JobError } from "../errors.ts";
import type { ExternalPlan } from "../protocol/job-data.ts";
import { badOption } from "./bad-option.ts";
import { encodeExtParams } from "./ext-params.ts";
import { type ExternalFiles, externalFiles } from "./external.ts";
import { fileFault } from "./file-fault.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { isFileName } from "./option-checks.ts";
import { filesBytesMax, readRequiredFile } from "./required.ts";

export interface PackedPrograms {
  /** What a stage with this function runs. */
  readonly programOf: (fn: unknown) => ExternalPlan | undefined;
  /** Contents by name, the job's required files among them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads all programs of a job and their files.
 * @param required the job's other files, by name
 * @throws JobError `no-such-file`, `bad-option`
 */
export function packPrograms(options: AnyJobOptions, required: ReadonlyMap<string, Uint8Array>): PackedPrograms {
  const files = new Map(required);
  const plans = new Map<unknown, ExternalPlan>();
  const params = encodeExtParams(options.extParams);
  const found = programsOf(options);
  const programs = new Set<string>();
  // Programs first: the files of one may not take another's name.
  for (const { role, fn, given } of found) {
    if (plans.has(fn)) continue;
    const [path = ""] = given.files;
    const contents = readProgram(role, path);
    let program = fileName(role, path);
    if (programs.has(program) && !isSame(files.get(program), contents))
      program = `${role.replace(/\W+/g, "-")}-${program}`;
    add(files, role, program, contents);
    programs.add(program);
    plans.set(fn, { program, params, keys: given.keys, values: given.values });
  }
  for (const { role, given } of found) {
    for (const path of given.files.slice(1)) add(files, role, fileName(role, path), readFile(role, path));
  }
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (bytes > filesBytesMax) {
    throw badOption(
      `external programs and requiredFiles are larger than ${filesBytesMax} bytes together`,
      "Read big data as input.",
    );
  }
  return { programOf: (fn) => plans.get(fn), files };
}

interface FoundProgram {
  readonly role: string;
  readonly fn: unknown;
  readonly given: ExternalFiles;
}

function programsOf(options: AnyJobOptions): FoundProgram[] {
  const stages = options.pipeline ?? [];
  const places: readonly (readonly [string, unknown])[] = [
    ["map", options.map],
    ["reduce", options.reduce],
    ...stages.flatMap(({ map, reduce }, i) => [
      [`pipeline[${i}].map`, map] as const,
      [`pipeline[${i}].reduce`, reduce] as const,
    ]),
  ];
  return places.flatMap(([role, fn]) => {
    const given = externalFiles(fn);
    return given === undefined ? [] : [{ role, fn, given }];
  });
}

function fileName(role: string, path: string): string {
  const name = basename(path);
  if (!isFileName(name)) throw badOption(`${role}: external: ${JSON.stringify(path)} is not the path of a file`);
  return name;
}

function add(files: Map<string, Uint8Array>, role: string, name: string, contents: Uint8Array): void {
  const other = files.get(name);
  if (other !== undefined && !isSame(other, contents)) {
    throw badOption(
      `${role}: external: another file of the job is called ${name} as well; all files lie in one directory`,
      "Rename one of the two: requiredFiles may also give contents by name, { name: contents }.",
    );
  }
  files.set(name, contents);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

function readProgram(role: string, path: string): Uint8Array {
  const contents = readFile(role, path);
  if ((statSync(path).mode & (constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH)) === 0) {
    throw new JobError(`${role}: external: ${path} is not executable`, {
      code: "bad-option",
      hint: `Write chmod +x ${path}; a script needs a first line like #!/usr/bin/env python3, too.`,
    });
  }
  if (contents.length === 0) throw badOption(`${role}: external: ${path} is empty`);
  return contents;
}

/** Of what is no path: somebody may mean a command. */
const commandHint = " A command of the system, like sort, goes into a script that calls it, and the script travels.";

function readFile(role: string, path: string): Uint8Array {
  const what = `${role}: external`;
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    throw new JobError(`${what}: ${path} cannot be read: ${fileFault(error)}`, {
      code: "no-such-file",
      cause: error,
      hint: `It was looked for at ${resolve(path)}.${path.includes("/") ? "" : commandHint}`,
    });
  }
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? "a directory" : "no regular file";
    throw badOption(`${what}: ${path} is ${kind}`, "List each file that the program needs.");
  }
  return readRequiredFile(what, path);
}
