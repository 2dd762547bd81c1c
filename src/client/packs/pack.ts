/**
 * Job packs as files and bytes: of jobs whose worker is a program that they bring along, in any language (docs/workers.md), and of any
 * other job. (Disco 0.5: `disco.job.JobPack`.) What writes and reads them is loaded when it is needed.
 */
import type { JobPackContents } from "./contents.ts";

/** A file of a job home. */
export interface PackedHomeFile {
  readonly contents: Uint8Array;
  /** Permissions on Unix, as in `0o755`; 0: the pack does not say. */
  readonly mode: number;
}

interface PackParts {
  readonly version: 1 | 2;
  readonly jobdict: Readonly<Record<string, unknown>>;
  readonly jobenvs: Readonly<Record<string, string>>;
  readonly jobhome: ReadonlyMap<string, PackedHomeFile>;
  readonly jobdata: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * A job pack: everything that a job is, for any master of Disco's. It does not change, and it is well-formed: `make` and `read` refuse
 * what a master would refuse.
 *
 *     0     header: version, and where the four parts begin
 *     128   jobdict   JSON object: what the master reads (inputs, pipeline, worker)
 *           jobenvs   JSON object of strings: environment of the workers
 *           jobhome   zip archive: files of the directory that workers run in, the worker among them
 *           jobdata   anything, for the worker alone
 *
 * @example
 * const pack = await JobPack.make({
 *   jobdict: { prefix: "count", worker: "count.py", pipeline: [["map", "split", false]], inputs: [[0, 0, ["raw://a b a"]]] },
 *   jobhome: { "count.py": { path: "./count.py" } },
 * });
 * const job = await disco.submitPack(pack);
 */
export class JobPack {
  /** 1: the classic worker's (`input`, `nr_reduces`); 2: the pipeline worker's (`pipeline`, `inputs`). */
  readonly version: 1 | 2;
  /** As in the pack: names of keys are Disco's. */
  readonly jobdict: Readonly<Record<string, unknown>>;
  readonly jobenvs: Readonly<Record<string, string>>;
  /** By path, with `/` between folders. */
  readonly jobhome: ReadonlyMap<string, PackedHomeFile>;
  readonly jobdata: Uint8Array;
  /** The pack itself. */
  readonly bytes: Uint8Array;

  private constructor({ version, jobdict, jobenvs, jobhome, jobdata, bytes }: PackParts) {
    this.version = version;
    this.jobdict = jobdict;
    this.jobenvs = jobenvs;
    this.jobhome = jobhome;
    this.jobdata = jobdata;
    this.bytes = bytes;
    Object.freeze(this);
  }

  /**
   * Packs a job.
   * @throws JobError `bad-jobpack` naming what a master would refuse; `no-such-file`
   */
  static async make(contents: JobPackContents): Promise<JobPack> {
    const { encodePack } = await import("./encode.ts");
    return JobPack.read(await encodePack(contents));
  }

  /**
   * Reads a job pack, of any client.
   * @param pack its bytes, or the path of a file
   * @throws JobError `bad-jobpack` naming what is wrong with it; `no-such-file`
   */
  static async read(pack: Uint8Array | string): Promise<JobPack> {
    const { readPack } = await import("./decode.ts");
    return new JobPack(await readPack(pack));
  }

  /** Path of the program in the job home that runs the job's tasks; `disco-mapreduce` for jobs of this package. */
  get worker(): string {
    return String(this.jobdict["worker"]);
  }

  /** Writes the pack to a file, which appears when it is complete. */
  async write(file: string): Promise<void> {
    const { writePack } = await import("./decode.ts");
    await writePack(file, this.bytes);
  }
}
