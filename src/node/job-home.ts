/**
 * A job's place on a node: `DATA/HOST/hh/JOB` with
 *   jobfile      the job pack, written once (temporary file and rename: it is whole or not there)
 *   work/        working directory of tasks; the pack's required files lie in it, flat
 *   .disco/      segments, indexes, out-of-band values, manifests: what tasks write and read
 *   …            files of results
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decodeJobPack } from "../protocol/jobpack.ts";
import type { DropScope } from "../protocol/messages.ts";
import { jobDirectory } from "./job-directory.ts";

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
}

export async function openJobHome(options: {
  readonly dataDir: string;
  readonly host: string;
  readonly job: string;
  readonly fetchPack: () => Promise<Uint8Array>;
}): Promise<JobHome> {
  const jobDir = jobDirectory(options.host, options.job);
  const home = join(options.dataDir, jobDir);
  const packFile = join(home, "jobfile");
  const workDir = join(home, "work");
  const systemDir = join(home, ".disco");
  await mkdir(systemDir, { recursive: true });
  await mkdir(workDir, { recursive: true });
  let pack = await readIfThere(packFile);
  if (pack === null) {
    pack = await options.fetchPack();
    await writeWhole(packFile, pack);
  }
  const { jobhome, files: unpack } = decodeJobPack(pack);
  const files = jobhome.byteLength === 0 ? new Map<string, Uint8Array>() : unpack();
  for (const [name, contents] of files) {
    const file = join(workDir, name);
    await mkdir(dirname(file), { recursive: true });
    // Executable: an external program may be among them.
    await writeWhole(file, contents, 0o755);
  }
  return { job: options.job, jobDir, packFile, workDir, systemDir, hasFiles: files.size > 0 };
}

/** What stays in `.disco` when the job has ended: indexes of results, and out-of-band values with their list. */
const lasting = /(\.results|^oob-.*|^oob\.json)$/;

export async function dropFiles(dataDir: string, host: string, job: string, scope: DropScope): Promise<void> {
  const home = join(dataDir, jobDirectory(host, job));
  if (scope === "all") {
    await rm(home, { recursive: true, force: true });
    return;
  }
  await rm(join(home, "work"), { recursive: true, force: true });
  const systemDir = join(home, ".disco");
  const names = await readdir(systemDir).catch(() => []);
  for (const name of names) {
    if (!lasting.test(name)) await rm(join(systemDir, name), { recursive: true, force: true });
  }
}

/** Under its name a file is whole: it is written beside, and renamed. */
export async function writeWhole(file: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${file}.${process.pid}.partial`;
  try {
    await writeFile(temporary, bytes, { mode });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function readIfThere(file: string): Promise<Uint8Array | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
