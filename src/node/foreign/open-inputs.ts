/**
 * What comes of a stage while tasks of the next one run already (`core/job/concurrent.ts`): the node asks the master for what is new, once
 * for all of its attempts that read the stage, and writes all that is known to one file, which is read anew by each of them.
 *
 *   the first attempt ─▶ ask ─▶ file ─▶ tell attempts ─▶ pause ─▶ ask … until there is no more to come, or no attempt is left
 *
 * OI1. An output is told of once, and once more each time it is made again. Another master tells of all anew (`ManifestMark.log`).
 * OI2. Whoever begins to follow gets a file that is not older than that. A message that is lost on the way to its attempt changes
 *      nothing: the attempt reads the file when it begins.
 * OI3. The pause is short while outputs come, and grows while none do. It is never less than ten times what it costs to have all
 *      attempts read the file: with 10,000 outputs and 8 attempts a second or so, with few a twentieth of that.
 * OI4. An answer of before the stage was planned anew is none for attempts that were assigned since: those ask for a later version.
 * OI5. A master that does not answer is asked again, for as long as there are attempts.
 */
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { decodeManifest, encodeManifest, type FetchedManifest } from "../../protocol/manifest-file.ts";
import type { AttemptId } from "../../protocol/messages.ts";
import { type JobHome, writeWhole } from "../job-home.ts";

export interface OpenInputsOptions {
  /** The master's answer to `manifest`. `scratch`: absolute path of a file that may be made. */
  readonly ask: (question: object, scratch: string) => Promise<Uint8Array>;
  /** The attempt finds more in the file. */
  readonly arrived: (id: AttemptId, manifestFile: string) => void;
  /** Those that are here, and have not ended. */
  readonly attempts: () => readonly AttemptId[];
  /** Default: 50 ms and 500 ms. */
  readonly pauseMs?: number;
  readonly pauseMsMax?: number;
}

const usualPauseMs = 50;
const usualPauseMsMax = 500;
/** Of the pauses that are long because much is to be read. */
const readPauseMsMax = 5_000;
/** To read one row of the file. */
const rowMs = 0.002;
const readShareInverse = 10;

interface Follower {
  readonly id: AttemptId;
  /** It takes no answer of an earlier version. */
  readonly version: number;
}

interface Followed {
  readonly home: JobHome;
  readonly stage: number;
  readonly file: string;
  followers: Follower[];
  /** Of the last answer. */
  version: number;
  outputs: Map<number, FetchedManifest["outputs"][number]>;
  mark: FetchedManifest["mark"] | null;
  /** It is being asked for. Resolves with the next answer. */
  next: PromiseWithResolvers<void> | null;
  wake: (() => void) | null;
  writing: Promise<unknown>;
  isOver: boolean;
}

export class OpenInputs {
  readonly #options: OpenInputsOptions;
  /** By job, then by stage. */
  readonly #followed = new Map<string, Map<number, Followed>>();

  constructor(options: OpenInputsOptions) {
    this.#options = options;
  }

  /**
   * From now on the attempt is told of outputs of the stage. Resolves with the absolute path of the file, once that says what there is in
   * this version or a later one.
   * @throws what the master says to the first question of all that wait for it
   */
  async follow(id: AttemptId, home: JobHome, stage: number, version: number): Promise<string> {
    let ofJob = this.#followed.get(id.job);
    if (ofJob === undefined) this.#followed.set(id.job, (ofJob = new Map()));
    let followed = ofJob.get(stage);
    if (followed === undefined) {
      const file = join(home.systemDir, `manifest-open-${stage}.json`);
      const nothing = { followers: [], version: 0, outputs: new Map(), mark: null, next: null, wake: null };
      followed = { home, stage, file, ...nothing, writing: Promise.resolve(), isOver: false };
      ofJob.set(stage, followed);
    }
    followed.followers.push({ id, version });
    for (;;) {
      if (followed.next === null) void this.#ask(followed);
      else followed.wake?.();
      await followed.next?.promise;
      if (followed.version >= version || followed.isOver) return followed.file;
      // A master that has just taken over may tell of an earlier version, and that it is whole.
      await passed(this.#options.pauseMs ?? usualPauseMs);
    }
  }

  /** Nothing of the job is followed any more, and nothing is being written when it resolves. */
  async forget(job: string): Promise<void> {
    const ofJob = this.#followed.get(job);
    this.#followed.delete(job);
    for (const followed of ofJob?.values() ?? []) {
      followed.isOver = true;
      followed.wake?.();
      await followed.writing;
    }
  }

  async #ask(followed: Followed): Promise<void> {
    const { pauseMs = usualPauseMs, pauseMsMax = usualPauseMsMax } = this.#options;
    let pause = pauseMs;
    for (;;) {
      const next = (followed.next ??= Promise.withResolvers<void>());
      // Who waits for it hears of it; there may be nobody.
      next.promise.catch(() => undefined);
      let isOpen = true;
      try {
        const { open, outputs } = await this.#once(followed);
        isOpen = open === true;
        pause = outputs.length > 0 ? pauseMs : Math.min(pause * 2, pauseMsMax);
        followed.next = null;
        next.resolve();
      } catch (error) {
        pause = pauseMsMax;
        followed.next = null;
        next.reject(error);
      }
      if (!isOpen || !this.#isNeeded(followed)) return;
      followed.next = Promise.withResolvers<void>();
      const reading = followed.outputs.size * followed.followers.length * rowMs * readShareInverse;
      await this.#pause(followed, Math.max(pause, Math.min(reading, readPauseMsMax)));
      if (!this.#isNeeded(followed)) {
        followed.next.resolve();
        followed.next = null;
        return;
      }
    }
  }

  async #once(followed: Followed): Promise<FetchedManifest> {
    const { home, stage, file, mark } = followed;
    const question = { job: home.job, stage, version: 0, since: mark };
    const part = decodeManifest(Buffer.from(await this.#options.ask(question, `${file}.answer`)).toString());
    if (part.mark?.log !== mark?.log) followed.outputs = new Map();
    for (const output of part.outputs) followed.outputs.set(output.task, output);
    followed.mark = part.mark ?? null;
    followed.version = part.version;
    const isNews = part.outputs.length > 0 || part.open !== true || mark === null;
    if (isNews && !followed.isOver) {
      const writing = writeWhole(file, encodeManifest({ ...part, outputs: [...followed.outputs.values()] }));
      followed.writing = writing.catch(() => undefined);
      await writing;
      for (const { id, version } of followed.followers) if (version <= part.version) this.#options.arrived(id, file);
    }
    return part;
  }

  /** Drops attempts that have ended. */
  #isNeeded(followed: Followed): boolean {
    if (followed.isOver) return false;
    const here = new Set(this.#options.attempts().map(keyOf));
    followed.followers = followed.followers.filter(({ id }) => here.has(keyOf(id)));
    return followed.followers.length > 0;
  }

  /** Ends early for one who begins to follow. */
  #pause(followed: Followed, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      followed.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function keyOf({ job, stage, task, attempt }: AttemptId): string {
  return `${job}/${stage}/${task}/${attempt}`;
}
