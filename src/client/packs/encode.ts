/** Makes the bytes of a job pack of what it is to have. */
import { readFile } from "node:fs/promises";
import { JobError } from "../../errors.ts";
import { foreignWorkerPath } from "../../protocol/foreign-home.ts";
import { checkJobDict, encodeJobPack, type JobDictJson } from "../../protocol/jobpack.ts";
import type { HomeFile } from "../../protocol/jobpack-zip.ts";
import { checkNames } from "../bad-option.ts";
import { fileFault } from "../file-fault.ts";
import { jobOwner } from "../owner.ts";
import type { HomeFileSource, JobHomeSource, JobPackContents } from "./contents.ts";
import { filesOfFolder, modeOf } from "./home-folder.ts";

const programMode = 0o755;
const known = { version: anything, jobdict: anything, jobenvs: anything, jobhome: anything, jobdata: anything };

/**
 * The form of it is checked by whoever reads the bytes.
 * @throws JobError `bad-jobpack`, `unknown-option`, `no-such-file`
 */
export async function encodePack(contents: JobPackContents): Promise<Uint8Array> {
  if (!isObject(contents)) throw bad("JobPack.make: { jobdict, jobhome, … } was expected");
  checkNames(contents, known, "JobPack.make: ", () => undefined);
  const { version = 2, jobdict, jobenvs = {}, jobhome = {}, jobdata = "" } = contents;
  if (version !== 1 && version !== 2) throw bad(`version ${String(version)} is not known, 1 and 2 are`);
  if (!isObject(jobdict)) throw bad("invalid jobdict: it is not an object");
  if (typeof jobdata !== "string" && !(jobdata instanceof Uint8Array)) {
    throw bad("invalid jobdata: a string or a Uint8Array was expected");
  }
  const dict: JobDictJson = { owner: jobOwner(), scheduler: {}, ...jobdict };
  checkJobDict(dict, version);
  return encodeJobPack({
    version,
    jobdict: dict,
    jobenvs,
    files: await homeFiles(jobhome, String(dict["worker"])),
    jobdata: typeof jobdata === "string" ? Buffer.from(jobdata) : jobdata,
  });
}

async function homeFiles(home: JobHomeSource, worker: string): Promise<Map<string, HomeFile>> {
  const program = foreignWorkerPath(worker);
  const sources = typeof home === "string" ? await filesOfFolder(home) : home;
  const entries: Iterable<[string, HomeFileSource]> =
    sources instanceof Map ? sources.entries() : Object.entries(sources);
  const files = new Map<string, HomeFile>();
  for (const [name, source] of entries) {
    const { contents, mode } = await homeFile(name, source);
    const usual = name === program ? { mode: programMode } : {};
    files.set(name, { contents, ...(mode === undefined ? usual : { mode }) });
  }
  return files;
}

async function homeFile(name: string, source: HomeFileSource): Promise<{ contents: Uint8Array; mode?: number }> {
  if (typeof source === "string") return { contents: Buffer.from(source) };
  if (source instanceof Uint8Array) return { contents: source };
  if (isObject(source) && "path" in source && typeof source.path === "string") {
    const found = await readPacked(name, source.path);
    const { mode = found.mode } = source;
    return { contents: found.contents, ...(mode === undefined ? {} : { mode }) };
  }
  if (isObject(source) && "contents" in source) {
    const { contents, mode } = source;
    const bytes = typeof contents === "string" ? Buffer.from(contents) : contents;
    if (bytes instanceof Uint8Array) return { contents: bytes, ...(mode === undefined ? {} : { mode }) };
  }
  throw bad(`invalid jobhome: ${JSON.stringify(name)} is neither contents (a string, a Uint8Array) nor { path }`);
}

/** A file that can be executed here can be executed there. */
async function readPacked(name: string, path: string): Promise<{ contents: Uint8Array; mode?: number }> {
  try {
    const contents = await readFile(path);
    const mode = await modeOf(path);
    return { contents, ...(mode === undefined ? {} : { mode }) };
  } catch (error) {
    throw new JobError(`invalid jobhome: ${JSON.stringify(name)}: ${path} cannot be read: ${fileFault(error)}`, {
      code: "no-such-file",
      cause: error,
    });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function bad(message: string): JobError {
  return new JobError(message, { code: "bad-jobpack" });
}

function anything(): null {
  return null;
}
