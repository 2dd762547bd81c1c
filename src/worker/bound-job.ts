/**
 * The one job that a worker process works for: its job pack, its functions (loaded with the first task), its files.
 */
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { DiscoError } from "../errors.ts";
import type { FnRef, JobData, StagePlan } from "../protocol/job-data.ts";
import { readJobDataSync } from "../protocol/jobpack-file.ts";
import type { ToWorker } from "../protocol/messages.ts";
import { decodeValue } from "../protocol/value.ts";
import { serversOf } from "../schemes/environment.ts";
import type { KnownServers, SchemeContext } from "../schemes/scheme.ts";
import { type LoadedCode, loadCode } from "../shipping/load.ts";
import type { TranslatedStack } from "./failure.ts";
import { ownFunction } from "./own-functions.ts";
import { SegmentFile } from "./storage/segment-file.ts";

export type JobBinding = Extract<ToWorker, { kind: "job" }>;

// biome-ignore lint/suspicious/noExplicitAny: functions of users have whatever types they declare
export type UserFunction = (...args: any[]) => unknown;

export class BoundJob {
  readonly binding: JobBinding;
  readonly data: JobData;
  /** Where its inputs are read: of the nodes that are known by now. */
  context: SchemeContext;
  /** Told the address of a blob of this node that is damaged. */
  tellDamage: (url: string) => void = () => {};
  /** The input that is being read, for failures. */
  currentUrl: string | null = null;
  readonly #segments = new Map<number, SegmentFile>();
  #segmentCount = 0;
  #code: LoadedCode | null = null;
  #loading: Promise<LoadedCode> | null = null;
  #isStale = false;

  readonly #loadCode: (data: JobData) => Promise<LoadedCode>;

  /** `load` makes the functions; tests give their own. */
  constructor(binding: JobBinding, data: JobData, load: (data: JobData) => Promise<LoadedCode> = loadFunctions) {
    this.binding = binding;
    this.data = data;
    this.context = this.#contextWith(binding.dataServers);
    this.#loadCode = load;
  }

  /** Reads the job pack. Throws `DiscoError` when it cannot be read or is of another version. */
  static open(binding: JobBinding): BoundJob {
    const data = decodeValue(readJobDataSync(binding.packFile)) as JobData;
    if (data.version !== 1) {
      throw new DiscoError(`the job was made by another version of disco-mapreduce (format ${String(data.version)})`, {
        code: "bad-jobpack",
        hint: "Run the same version of disco-mapreduce on the client and on all nodes.",
      });
    }
    return new BoundJob(binding, data);
  }

  /** These are the nodes' data servers from now on. */
  know(dataServers: Readonly<Record<string, string>>): void {
    this.context = this.#contextWith(dataServers);
  }

  #contextWith(dataServers: JobBinding["dataServers"]): SchemeContext {
    return { ...contextOf(this.binding, dataServers), damaged: (url) => this.tellDamage(url) };
  }

  /** Makes the process the job's: working directory and command line are what its functions expect. */
  enter(): void {
    process.chdir(this.binding.workDir);
    // Module-level constants that come from the command line shall be what they were where the job was made.
    process.argv = [...this.data.argv];
  }

  /** Closes the job's files and leaves its directory, which may be deleted now. */
  leave(): void {
    process.chdir(this.binding.dataDir);
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
  }

  /** Loads the job's functions, once, and again after an attempt that failed. */
  async load(): Promise<LoadedCode> {
    if (this.#code === null || this.#isStale) {
      this.#loading ??= this.#loadCode(this.data).finally(() => {
        this.#loading = null;
      });
      this.#code = await this.#loading;
      this.#isStale = false;
    }
    return this.#code;
  }

  /** An attempt failed: what it left in module-level variables must not reach the next one, which would differ by it. */
  renewCode(): void {
    this.#isStale = true;
  }

  stage(number: number): StagePlan {
    const plan = this.data.stages[number];
    if (plan === undefined) throw new DiscoError(`the job has no stage ${number}`, { code: "bad-jobpack" });
    return plan;
  }

  /** Params as each task gets them: a copy of its own. */
  params(code: LoadedCode): unknown {
    return decodeValue(this.data.params, { onFunction: (ref: FnRef) => code.fn(ref) });
  }

  translate(error: unknown): TranslatedStack {
    if (this.#code !== null) return this.#code.translate(error);
    return error instanceof Error ? { stack: error.stack } : {};
  }

  /** Relative to the data directory: the folder for what is not a result. */
  get systemDir(): string {
    return `${this.binding.jobDir}/.disco`;
  }

  /** The file to which this process appends its outputs of a stage. */
  segment(stage: number): SegmentFile {
    let segment = this.#segments.get(stage);
    // Whoever deleted it (a sweeper of old files): what is appended to it now, nobody would find.
    if (segment?.isDeleted === true) {
      segment.close();
      segment = undefined;
    }
    if (segment === undefined) {
      const count = this.#segmentCount++;
      const name = `seg-${fileName(this.stage(stage).name)}-${this.binding.workerId}-${count}.seg`;
      segment = SegmentFile.create(join(this.binding.dataDir, this.systemDir, name));
      this.#segments.set(stage, segment);
    }
    return segment;
  }

  /** Absolute path of the folder for temporary files. */
  get scratchDir(): string {
    return join(this.binding.dataDir, this.systemDir);
  }
}

async function loadFunctions(data: JobData): Promise<LoadedCode> {
  for (const specifier of data.requiredModules) await import(toUrl(specifier));
  const script = data.argv[1];
  return loadCode(data.code, {
    findOwn: (name, args) => ownFunction(args === undefined ? { name } : { name, args }),
    ...(script !== undefined && isAbsolute(script) ? { entryUrl: pathToFileURL(script).href } : {}),
  });
}

/** A stage's name as part of a file's name. */
export function fileName(stage: string): string {
  return stage.replace(/[^a-zA-Z0-9_-]/g, "_");
}

function toUrl(specifier: string): string {
  return specifier.startsWith("/") ? pathToFileURL(specifier).href : specifier;
}

function contextOf(binding: JobBinding, nodes: JobBinding["dataServers"]): SchemeContext {
  const { host, dataDir, token } = binding;
  const servers = serversOf({ ...process.env, DISCO_TOKEN: token });
  const place = { host, dataDir, dataServers: { ...servers.dataServers, ...nodes } };
  return { ...servers, ...place, ...dataToken(binding.dataToken, nodes, servers.token) };
}

/** The token of nodes' data servers, for these and for no other server that an address may name. */
function dataToken(
  token: string | undefined,
  dataServers: JobBinding["dataServers"],
  others: KnownServers["token"],
): KnownServers {
  if (token === undefined) return {};
  const origins = new Set(Object.values(dataServers).map((base) => new URL(base).origin));
  return { token: (origin) => (origins.has(origin) ? token : others?.(origin)) };
}
