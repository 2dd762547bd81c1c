/**
 * What is in a job pack, and what is wrong with it: as far as can be told, of bytes that no master would take. A part that is damaged, or
 * lies where it cannot, is a problem of its own, and the others are read all the same.
 */
import { DiscoError } from "../errors.ts";
import { checkForeignHome, foreignWorkerPath } from "./foreign-home.ts";
import { checkJobDict, type JobDictJson, jobPackBytesMax, packHeaderBytes, readJobEnvs } from "./jobpack.ts";
import { type DiscoJob, ownWorker, readDiscoDict } from "./jobpack-dict.ts";
import { readEntry } from "./jobpack-zip.ts";
import { entriesOf, findDirectory, readDirectory, tailBytesMax, type ZipEntry } from "./zip-directory.ts";

export type PackPartName = "header" | "jobdict" | "jobenvs" | "jobhome" | "jobdata";

export interface PackProblem {
  readonly part: PackPartName;
  /** Byte of the pack where it is, or where the part begins. */
  readonly at: number;
  readonly message: string;
}

export interface PackPart {
  readonly name: Exclude<PackPartName, "header">;
  /** As the header says. */
  readonly at: number;
  /** That are there: fewer than the header says in a pack that is cut off. */
  readonly bytes: number;
}

/** `null`: it cannot be told. */
export interface PackInspection {
  readonly size: number;
  readonly version: number | null;
  readonly parts: readonly PackPart[];
  readonly jobdict: JobDictJson | null;
  /** What the job dict says. */
  readonly job: DiscoJob | null;
  readonly jobenvs: Readonly<Record<string, string>> | null;
  readonly files: readonly ZipEntry[] | null;
  /** In order of the pack. None: a master takes it, if its worker can be run there. */
  readonly problems: readonly PackProblem[];
}

const magic = Buffer.from([0xd5, 0xc0, 0x00]);
const offsetsEnd = 20;
const partNames = ["jobdict", "jobenvs", "jobhome", "jobdata"] as const;
/** What programs begin with: `#!` of scripts, ELF. */
const programMarks = [Buffer.from("#!"), Buffer.from("\x7fELF", "latin1")];

export function inspectJobPack(bytes: Uint8Array): PackInspection {
  return new Inspector(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).inspect();
}

class Inspector {
  readonly #pack: Buffer;
  readonly #problems: PackProblem[] = [];

  constructor(pack: Buffer) {
    this.#pack = pack;
  }

  inspect(): PackInspection {
    const version = this.#version();
    const parts = version === null ? [] : this.#parts();
    const part = (name: PackPart["name"]): Buffer | null => this.#bytesOf(parts.find((one) => one.name === name));
    const at = (name: PackPart["name"]): number => parts.find((one) => one.name === name)?.at ?? 0;
    const dict = part("jobdict");
    const jobdict = dict === null ? null : this.#json(dict, at("jobdict"));
    const job = jobdict === null || version === null ? null : this.#job(jobdict, version, at("jobdict"));
    const envs = part("jobenvs");
    const jobenvs = envs === null ? null : this.#try("jobenvs", at("jobenvs"), () => readJobEnvs(envs));
    const home = part("jobhome");
    const files = home === null ? null : this.#files(home, at("jobhome"));
    if (home !== null && files !== null) this.#checkFiles(home, files, job, at("jobhome"));
    return { size: this.#pack.length, version, parts, jobdict, job, jobenvs, files, problems: this.#problems };
  }

  #version(): number | null {
    const { length } = this.#pack;
    if (length > jobPackBytesMax) this.#add("header", 0, `${length} bytes, the limit is ${jobPackBytesMax}`);
    const found = this.#pack.subarray(0, magic.length);
    if (!found.equals(magic)) {
      const shown = found.toString("hex").replace(/(..)(?=.)/g, "$1 ");
      this.#add("header", 0, `this is not a job pack: it begins with ${shown || "nothing"}, job packs with d5 c0 00`);
      return null;
    }
    if (length < offsetsEnd) {
      this.#add("header", length, `the pack ends in its header, after ${length} of ${packHeaderBytes} bytes`);
      return null;
    }
    const version = this.#pack[magic.length] ?? 0;
    if (version !== 1 && version !== 2) {
      this.#add("header", magic.length, `version ${version} is not known, 1 and 2 are`);
    }
    return version;
  }

  /** Each ends where the next one begins; those for which that makes sense. */
  #parts(): PackPart[] {
    const size = this.#pack.length;
    const offsets = partNames.map((_, i) => this.#pack.readUInt32BE(4 + 4 * i));
    const parts: PackPart[] = [];
    for (const [i, name] of partNames.entries()) {
      const at = offsets[i] as number;
      const end = offsets[i + 1] ?? size;
      const from = 4 + 4 * i;
      if (i === 0 && at !== packHeaderBytes) {
        this.#add("header", from, `the jobdict begins at byte ${at}, and has to at ${packHeaderBytes}`);
        if (at < offsetsEnd) continue;
      }
      if (at > size) {
        this.#add("header", from, `the ${name} begins at byte ${at}, and the pack ends after ${size}`);
        continue;
      }
      if (end < at && i + 1 < partNames.length) {
        this.#add("header", from + 4, `the ${partNames[i + 1]} begins at byte ${end}, before the ${name} at ${at}`);
        continue;
      }
      parts.push({ name, at, bytes: Math.min(end, size) - at });
    }
    return parts;
  }

  #bytesOf(part: PackPart | undefined): Buffer | null {
    return part === undefined ? null : this.#pack.subarray(part.at, part.at + part.bytes);
  }

  #json(bytes: Buffer, at: number): JobDictJson | null {
    const text = bytes.toString("utf8");
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JobDictJson;
      this.#add("jobdict", at, "it is not a JSON object");
    } catch (error) {
      this.#add("jobdict", at, `it is not JSON: ${(error as Error).message}`);
    }
    return null;
  }

  #job(jobdict: JobDictJson, version: number, at: number): DiscoJob | null {
    if (version !== 1 && version !== 2) return null;
    return this.#try("jobdict", at, () => {
      checkJobDict(jobdict, version);
      return readDiscoDict(jobdict, version);
    });
  }

  /** Files as far as the archive's directory can be read. */
  #files(home: Buffer, at: number): ZipEntry[] | null {
    if (home.length === 0) return [];
    const place = this.#try("jobhome", at, () =>
      findDirectory(home.subarray(Math.max(0, home.length - tailBytesMax)), home.length),
    );
    if (place === null) return null;
    const directory = home.subarray(place.at, place.end);
    const files = this.#try("jobhome", at + place.at, () => readDirectory(directory, place));
    if (files !== null) return files;
    const readable: ZipEntry[] = [];
    try {
      for (const { entry, isFolder } of entriesOf(directory, place.entries)) if (!isFolder) readable.push(entry);
    } catch {
      // It was said above: the rest cannot be told.
    }
    return readable;
  }

  #checkFiles(home: Buffer, files: readonly ZipEntry[], job: DiscoJob | null, at: number): void {
    // Of an archive that is refused as a whole nothing is inflated: it may be a bomb.
    const isWhole = this.#problems.every(({ part }) => part !== "jobhome");
    if (isWhole) {
      for (const entry of files) this.#try("jobhome", at + entry.localAt, () => this.#checkFile(home, entry, job));
    }
    if (job === null || job.worker === ownWorker) return;
    this.#try("jobhome", at, () => checkForeignHome(files, job.worker));
  }

  #checkFile(home: Buffer, entry: ZipEntry, job: DiscoJob | null): void {
    const contents = readEntry(home, entry);
    if (job === null || job.worker === ownWorker || entry.name !== foreignWorkerPath(job.worker)) return;
    if (programMarks.some((mark) => mark.equals(contents.subarray(0, mark.length)))) return;
    this.#add("jobhome", entry.localAt, `the worker ${JSON.stringify(entry.name)} is no program: no #! and no ELF`);
  }

  #try<T>(part: PackPartName, at: number, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DiscoError)) throw error;
      this.#add(part, at, error.message);
      return null;
    }
  }

  #add(part: PackPartName, at: number, message: string): void {
    this.#problems.push({ part, at, message });
  }
}
