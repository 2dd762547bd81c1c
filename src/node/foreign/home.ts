/**
 * The job home of a worker that the job brings along, on a node: the zip of the job pack is unpacked into `DATA/HOST/hh/JOB` itself,
 * beside the pack (`jobfile`) and Disco's records (`.disco`); it is the working directory of its tasks.
 *
 * FH1. A task sees all files or none: they are unpacked and checked under other names, then moved to their places, and `.jobhome` is
 *      written last. A node that was killed in between begins anew; nothing of the job has run there yet.
 * FH2. `.jobhome` holds for the boot of the machine that it was written in: contents that were not on the disk when the power went are
 *      written again. Tasks of a later boot find the files as they are in the pack, and what tasks wrote before stays.
 * FH3. Once a node, however many ask at once.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  checkForeignHome,
  foreignWorkerPath,
  packName,
  systemName,
  unpackedName,
} from "../../protocol/foreign-home.ts";
import { listPackedFiles, readPackEnvsSync } from "../../protocol/jobpack-file.ts";
import { jobDirectory } from "../job-directory.ts";
import { type JobHome, writeWhole } from "../job-home.ts";
import { unpackEach } from "../pack-file.ts";
import { privateDirectoryMode } from "../private-modes.ts";

export interface ForeignHome extends JobHome {
  /** Absolute path of the executable. */
  readonly workerFile: string;
  /** What the pack wants in the environment of its processes. */
  readonly jobenvs: Readonly<Record<string, string>>;
}

export interface ForeignHomeOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly job: string;
  /** Path of the executable in the job home. */
  readonly worker: string;
  /** Brings the pack to where it belongs: a file that is not there yet, and then is whole. */
  readonly fetchPack: (file: string) => Promise<void>;
}

const workerMode = 0o755;
/** What a file may have of what the archive says; no right of the user's to read and write is taken. */
const modeMask = 0o755;
const userMode = 0o600;

/** By home: those that are being made. */
const unpacking = new Map<string, Promise<void>>();

/** @throws JobError `bad-jobpack` for a pack that is damaged, or whose files cannot all be unpacked; nothing of it is there then */
export async function openForeignHome(options: ForeignHomeOptions): Promise<ForeignHome> {
  const { dataDir, host, job, fetchPack } = options;
  const worker = foreignWorkerPath(options.worker);
  const jobDir = jobDirectory(host, job);
  const home = join(dataDir, jobDir);
  const packFile = join(home, packName);
  const systemDir = join(home, systemName);
  let whole = unpacking.get(home);
  if (whole === undefined) {
    whole = (async () => {
      mkdirSync(systemDir, { recursive: true, mode: privateDirectoryMode });
      if (!existsSync(packFile)) await fetchPack(packFile);
      await unpackHome(home, worker);
    })().finally(() => unpacking.delete(home));
    unpacking.set(home, whole);
  }
  await whole;
  const { jobenvs } = readPackEnvsSync(packFile);
  const workerFile = join(home, worker);
  return { job, jobDir, packFile, workDir: home, systemDir, hasFiles: true, codeKey: null, workerFile, jobenvs };
}

async function unpackHome(home: string, worker: string): Promise<void> {
  const marker = join(home, unpackedName);
  const boot = bootId();
  if (existsSync(marker) && readFileSync(marker, "utf8") === boot) return;
  const pack = join(home, packName);
  const { header } = readPackEnvsSync(pack);
  const folders: string[] = [];
  const files = await listPackedFiles(pack, header, (name) => folders.push(name));
  checkForeignHome([...files, ...folders.map((name) => ({ name }))], worker);
  const staging = join(home, systemName, "unpacking");
  await rm(staging, { recursive: true, force: true });
  try {
    await unpackEach(pack, files, (_file, i) => ({ path: join(staging, String(i)), mode: userMode }));
    for (const name of folders) mkdirSync(join(home, name), { recursive: true, mode: privateDirectoryMode });
    const made = new Set<string>();
    for (const [i, { name, mode }] of files.entries()) {
      const place = join(home, name);
      const folder = dirname(place);
      if (!made.has(folder)) mkdirSync(folder, { recursive: true, mode: privateDirectoryMode });
      made.add(folder);
      chmodSync(join(staging, String(i)), name === worker ? workerMode : (mode & modeMask) | userMode);
      renameSync(join(staging, String(i)), place);
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await writeWhole(marker, Buffer.from(boot));
}

/** Another one after each start of the machine; empty where the system does not say. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
