/**
 * Out-of-band values: small named results beside a job's output. Each lies in a file of the attempt's own; the attempt reports
 * them and they count once it is committed. Values of earlier stages, and of other jobs, are found by lists that the
 * node gives (`WorkerTask.oob`) or writes (`.disco/oob.json` in a job's home). One that lies on another node is read there when it
 * is asked for: most are not.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OobRef } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import { openUrl } from "../schemes/open.ts";
import type { SchemeContext } from "../schemes/scheme.ts";
import { diskError } from "./storage/segment-file.ts";

const putsMax = 1_000;
const keyPattern = /^[a-zA-Z_\-:0-9@]{1,256}$/;
/** Keys under which tasks store their CPU profiles: `profile-map-0`. Reserved in every job, profiled or not. */
const profileKeyPattern = /^profile-.+-\d+$/;

/** Key of the CPU profile of a task. */
export function profileKey(stageName: string, task: number): string {
  return `profile-${stageName}-${task}`;
}

export interface OobPlace {
  readonly job: string;
  readonly host: string;
  readonly dataDir: string;
  /** Home of the job, relative to `dataDir`. */
  readonly jobDir: string;
  /** `STAGE-TASK-ATTEMPT`: makes file names unique. */
  readonly attempt: string;
  /** Committed values of earlier stages: file names relative to `dataDir`. */
  readonly committed: Readonly<Record<string, string>>;
  /** How values that lie on other nodes are reached. */
  readonly context: SchemeContext;
}

export class OobValues {
  readonly #place: OobPlace;
  readonly #refs = new Map<string, OobRef>();
  #puts = 0;

  constructor(place: OobPlace) {
    this.#place = place;
  }

  /** What the attempt reports: the last value of each key. */
  get refs(): readonly OobRef[] {
    return [...this.#refs.values()];
  }

  put(key: string, value: string | Uint8Array): void {
    if (typeof key !== "string" || !keyPattern.test(key)) {
      throw new DiscoError(`task.put: bad key ${JSON.stringify(key)}`, {
        code: "bad-key",
        hint: "A key has 1 to 256 characters of a-z, A-Z, 0-9, and _ - : @.",
      });
    }
    if (profileKeyPattern.test(key)) {
      throw new DiscoError(`task.put: the key ${key} is reserved for the CPU profiles of tasks`, {
        code: "reserved-key",
        hint: "Choose another one: profile-STAGE-NUMBER is what `profile: true` uses.",
      });
    }
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new DiscoError(`task.put: the value of ${key} is neither text nor bytes`, {
        code: "bad-value",
        hint: "Store JSON.stringify(value).",
      });
    }
    if (this.#puts >= putsMax) {
      throw new DiscoError(`task.put: more than ${putsMax} values in one task`, { code: "too-many-puts" });
    }
    this.#store(key, String(this.#puts++), typeof value === "string" ? Buffer.from(value) : value);
  }

  /** Stores the task's CPU profile, which is none of the user's values. */
  putProfile(key: string, bytes: Uint8Array): void {
    this.#store(key, "profile", bytes);
  }

  get(key: string, job: string = this.#place.job): Uint8Array {
    const file = job === this.#place.job ? (this.#refs.get(key)?.file ?? this.#committed(key)) : this.#listed(key, job);
    if (file !== undefined) {
      try {
        return this.#read(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    throw new DiscoError(`job ${job} has no out-of-band value ${JSON.stringify(key)}`, {
      code: "unknown-key",
      hint: "Values are seen by later stages and, after the job, by others; not by tasks of the same stage.",
    });
  }

  /** Its first part names the node that has it. */
  #read(file: string): Uint8Array {
    const { dataDir, host, context } = this.#place;
    const holder = file.slice(0, file.indexOf("/"));
    const path = join(dataDir, file);
    // A node that had another name has what it wrote under that.
    if (holder === host || existsSync(path) || context.dataServers?.[holder] === undefined) return readFileSync(path);
    return Buffer.concat([...openUrl(`disco://${holder}/disco/${file}`, context)].map((chunk) => Buffer.from(chunk)));
  }

  #store(key: string, suffix: string, bytes: Uint8Array): void {
    const file = join(this.#place.jobDir, ".disco", `oob-${this.#place.attempt}-${suffix}`);
    try {
      writeFileSync(join(this.#place.dataDir, file), bytes);
    } catch (error) {
      throw diskError(error, file);
    }
    this.#refs.set(key, { key, file, size: bytes.length });
  }

  #committed(key: string): string | undefined {
    const committed = this.#place.committed;
    return Object.hasOwn(committed, key) ? committed[key] : this.#listed(key, this.#place.job);
  }

  #listed(key: string, job: string): string | undefined {
    if (!/^[a-zA-Z0-9_@:-]+$/.test(job)) return undefined;
    const home = createHash("md5").update(job).digest("hex").slice(0, 2);
    let text: string;
    try {
      text = readFileSync(join(this.#place.dataDir, this.#place.host, home, job, ".disco", "oob.json"), "utf8");
    } catch {
      return undefined;
    }
    const list = JSON.parse(text) as Record<string, string>;
    return Object.hasOwn(list, key) ? list[key] : undefined;
  }
}
