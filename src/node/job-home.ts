/**
 * A job's place on a node: `DATA/HOST/hh/JOB` with
 *   jobfile      the job pack: it is whole or not there
 *   work/        working directory of tasks; the pack's required files lie in it, flat
 *   .disco/      segments, indexes, out-of-band values, manifests: what tasks write and read
 *   …            files of results
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackedName } from "../protocol/foreign-home.ts";
import { codeKeyName } from "../protocol/jobpack.ts";
import { readPackEnvsSync } from "../protocol/jobpack-file.ts";
import type { DropScope } from "../protocol/messages.ts";
import { jobDirectory } from "./job-directory.ts";
import { unpackFiles } from "./pack-file.ts";
import { privateDirectoryMode } from "./private-modes.ts";
import type { WorkerEvents, WorkerHandle } from "./worker-handle.ts";

const smallBytesMax = 256 * 1024;
const removalsMax = 5;
/** Grows with each try. */
const removalPauseMs = 20;

export interface JobHome {
  readonly job: string;
  /** Relative to the node's data directory, with `/`. */
  readonly jobDir: string;
  /** The others are absolute. */
  readonly packFile: string;
  readonly workDir: string;
  readonly systemDir: string;
  /** Required files lie in `workDir`: shared libraries are looked for there. */
  readonly hasFiles: boolean;
  /** Equal for jobs with the same code, which may share worker processes; `null`: it works in none but its own. */
  readonly codeKey: string | null;
  /** The job brings its own worker: starts what runs it, instead of a process of ours. */
  readonly startWorker?: (events: WorkerEvents, memoryLimitBytes: number) => WorkerHandle;
}

export async function openJobHome(options: {
  readonly dataDir: string;
  readonly host: string;
  readonly job: string;
  /** Brings the pack to where it belongs: a file that is not there yet, and then is whole. */
  readonly fetchPack: (file: string) => Promise<void>;
}): Promise<JobHome> {
  const jobDir = jobDirectory(options.host, options.job);
  const home = join(options.dataDir, jobDir);
  const packFile = join(home, "jobfile");
  const workDir = join(home, "work");
  const systemDir = join(home, ".disco");
  mkdirSync(systemDir, { recursive: true, mode: privateDirectoryMode });
  mkdirSync(workDir, { recursive: true, mode: privateDirectoryMode });
  if (!existsSync(packFile)) await options.fetchPack(packFile);
  const { header, jobenvs } = readPackEnvsSync(packFile);
  const hasFiles = (await unpackFiles(packFile, header, workDir)) > 0;
  const codeKey = hasFiles ? null : (jobenvs[codeKeyName] ?? null);
  return { job: options.job, jobDir, packFile, workDir, systemDir, hasFiles, codeKey };
}

/** What stays in `.disco` when the job has ended: indexes and checksums of results, and out-of-band values with their list. */
const lasting = /(\.results|\.sums|^oob-.*|^oob\.json)$/;
/** A file of results, in our blocks or in a user's format; the group is the attempt that wrote it. */
const resultFile = /^(.+-\d+-\d+)\.\d+\.(?:disco|out)$/;
/** What an attempt writes about its results: the index, which is the last that it writes, and checksums. */
const aboutResults = /^(.+-\d+-\d+)\.(?:[0-9a-f]{8}\.results|sums)$/;

/** Whether a file of `.disco` stays when the job has ended. */
export function isLasting(name: string): boolean {
  return lasting.test(name);
}

/**
 * Deletes files of a job that nothing of lives any more. `intermediate`: what only its tasks read, and results that attempts left
 * half-written: those whose process was killed have no index of results. Files of a worker that the job brought along stay until
 * the job is purged, as in Disco: what they are is that worker's affair.
 */
export async function dropFiles(dataDir: string, host: string, job: string, scope: DropScope): Promise<void> {
  const home = join(dataDir, jobDirectory(host, job));
  if (scope === "all") {
    // Processes of the job that left their group may write still.
    await rm(home, { recursive: true, force: true, maxRetries: removalsMax, retryDelay: removalPauseMs });
    return;
  }
  if (existsSync(join(home, unpackedName))) return;
  await rm(join(home, "work"), { recursive: true, force: true });
  const systemDir = join(home, ".disco");
  const names = await readdir(systemDir).catch(() => []);
  const whole = new Set(names.filter((name) => name.endsWith(".results")).map((name) => aboutResults.exec(name)?.[1]));
  const isHalf = (pattern: RegExp, name: string): boolean => {
    const attempt = pattern.exec(name)?.[1];
    return attempt !== undefined && !whole.has(attempt);
  };
  for (const name of names) {
    if (!isLasting(name) || isHalf(aboutResults, name))
      await rm(join(systemDir, name), { recursive: true, force: true });
  }
  for (const name of await readdir(home).catch(() => [])) {
    if (isHalf(resultFile, name)) await rm(join(home, name), { force: true });
  }
}

/**
 * Under its name a file is whole: it is written beside, and renamed. Small ones at once: the way through the thread pool and
 * back takes longer than the writing, and a short job has a handful of them.
 */
export async function writeWhole(file: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${file}.${process.pid}.partial`;
  try {
    if (bytes.byteLength <= smallBytesMax) {
      writeFileSync(temporary, bytes, { mode });
      renameSync(temporary, file);
    } else {
      await writeFile(temporary, bytes, { mode });
      await rename(temporary, file);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
