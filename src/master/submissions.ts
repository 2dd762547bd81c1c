/**
 * How a job pack becomes a job: checked, stored under a name of its own, recorded.
 *
 *   claim the name (mkdir) ──▶ the pack in its place ──▶ "job-submitted" in the journal ──▶ the name is answered
 *
 * S1. What was answered is in the journal: it is there after any crash, and the pack with it.
 * S2. The same key is the same job, while the first request is on its way and ever after.
 * S3. Whatever stops on the way leaves no job; its name and files are given back.
 */
import { rm } from "node:fs/promises";
import type { JobSpec } from "../core/job/spec.ts";
import { DiscoError, JobError } from "../errors.ts";
import { diskFullHint, isDiskFull } from "../node/disk.ts";
import { acceptPack, acceptPackFile } from "./accept-pack.ts";
import type { Claims } from "./claims.ts";
import type { Coordinator } from "./coordinator.ts";
import type { HeldPack } from "./held-pack.ts";
import type { ReadIndex } from "./index-reader.ts";
import type { JobFiles } from "./job-files.ts";
import { checkSpec } from "./spec-check.ts";

export interface SubmissionParts {
  readonly coordinator: Coordinator;
  readonly files: JobFiles;
  /** Absent: claims of a crash are not looked for. */
  readonly claims?: Claims;
  /** Throws for a job that none of the nodes that there will ever be can run. */
  readonly assertRunnable: (spec: JobSpec, packBytes: number) => void;
  /** Has nodes hold the job's pack, as a master's disk may go with it. Absent: on one machine. */
  readonly holdPack?: (job: string) => Promise<HeldPack>;
  /** @throws DiscoError where there is no DDFS for results */
  readonly ddfs: () => Promise<unknown>;
  readonly readIndex: ReadIndex;
  readonly now: () => number;
}

/** Active jobs and those that are being accepted: each costs the scheduler a place and the memory some kilobytes. */
export const activeJobsMax = 10_000;

const alreadyCommitted = Promise.resolve();

/** A pack, in memory or in a file, on its way to its place. */
interface Delivery {
  readonly spec: JobSpec;
  readonly bytes: number;
  store(job: string): Promise<void>;
}

export class Submissions {
  readonly #parts: SubmissionParts;
  /** On their way, by idempotency key. */
  readonly #byKey = new Map<string, Promise<string>>();
  #onTheWay = 0;
  /** Jobs since the start. */
  accepted = 0;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  /** `known`: what the pack says, where the caller has made it and knows. A pack of 50,000 inputs is some megabytes of JSON. */
  submit(pack: Uint8Array, key: string | undefined, known?: JobSpec): Promise<string> {
    return this.#once(key, async () => {
      const { files } = this.#parts;
      const spec = known === undefined ? acceptPack(pack) : checkSpec(known);
      return { spec, bytes: pack.byteLength, store: (job) => files.writePack(job, pack) };
    });
  }

  /** As `submit`; the file is moved to the job's place, or deleted. */
  async submitFile(file: string, key: string | undefined): Promise<string> {
    const { files } = this.#parts;
    try {
      return await this.#once(key, async () => {
        const { spec, bytes } = await acceptPackFile(file);
        return { spec, bytes, store: (job) => files.adoptPack(job, file) };
      });
    } finally {
      // Moved, when all went well.
      await rm(file, { force: true });
    }
  }

  /** Throws what keeps every job out at present, unless the key is known. */
  assertAccepting(key: string | undefined): void {
    const { coordinator } = this.#parts;
    coordinator.assertAlive();
    if (key === undefined || !(coordinator.machine.keys.has(key) || this.#byKey.has(key))) this.#assertOpen();
  }

  async #once(key: string | undefined, deliver: () => Promise<Delivery>): Promise<string> {
    const { coordinator } = this.#parts;
    coordinator.assertAlive();
    if (key === undefined) return await coordinator.unlessAway(this.#admit(deliver, undefined));
    const known = this.#byKey.get(key) ?? coordinator.machine.keys.get(key);
    if (known !== undefined) {
      const job = typeof known === "string" ? known : await coordinator.unlessAway(known);
      await coordinator.assured();
      return job;
    }
    const starting = this.#admit(deliver, key).finally(() => this.#byKey.delete(key));
    this.#byKey.set(key, starting);
    // Where it is given up, the client asks again, here or elsewhere, with the same key.
    return await coordinator.unlessAway(starting);
  }

  async #admit(deliver: () => Promise<Delivery>, key: string | undefined): Promise<string> {
    this.#assertOpen();
    this.#onTheWay++;
    try {
      const delivery = await this.#labelled(await deliver());
      this.#parts.assertRunnable(delivery.spec, delivery.bytes);
      // What cannot be saved is not made first.
      if (delivery.spec.save?.results === true) await this.#parts.ddfs();
      return await this.#start(delivery, key);
    } finally {
      this.#onTheWay--;
    }
  }

  /** With its inputs as tasks read them. */
  async #labelled(delivery: Delivery): Promise<Delivery> {
    if (delivery.spec.worker?.packVersion !== 1) return delivery;
    const { hasIndexInputs, withLabelledInputs } = await import("./index-inputs.ts");
    if (!hasIndexInputs(delivery.spec)) return delivery;
    return { ...delivery, spec: await withLabelledInputs(delivery.spec, this.#parts.readIndex) };
  }

  #assertOpen(): void {
    const { coordinator } = this.#parts;
    coordinator.assertRoom();
    const { machine } = coordinator;
    if (!machine.settings.acceptNewJobs) {
      throw new JobError("the master does not accept new jobs at present", {
        code: "jobs-not-accepted",
        hint: "An operator has switched that off: the setting acceptNewJobs.",
      });
    }
    if (machine.jobs.size + this.#onTheWay >= activeJobsMax) {
      throw new DiscoError(`${activeJobsMax} jobs are active already`, {
        code: "too-many-jobs",
        retry: "here",
        hint: "Submit it again when some of them have ended.",
      });
    }
  }

  async #start(delivery: Delivery, key: string | undefined): Promise<string> {
    const { coordinator, files, claims, now } = this.#parts;
    const { spec } = delivery;
    let job = "";
    try {
      for (let at = now(); !files.claim((job = coordinator.machine.nextName(spec.prefix, at))); at++);
      claims?.note(job);
      await delivery.store(job);
    } catch (cause) {
      if (job !== "") await this.#unclaim(job);
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the job pack could not be stored: ${why}`;
      if (!isDiskFull(cause)) throw new JobError(message, { code: "job-not-stored", cause });
      throw new JobError(message, { code: "disk-full", cause, hint: diskFullHint });
    }
    let committed = alreadyCommitted;
    try {
      const held = await this.#parts.holdPack?.(job);
      committed = coordinator.submit(job, spec, key, held);
    } catch (error) {
      // A journal that failed in the middle knows, perhaps, of the job: then it was accepted.
      if (!coordinator.machine.knows(job)) {
        await this.#unclaim(job);
        throw error;
      }
    }
    // What comes of it when the journal cannot say, the next master knows: who asks it again with the same key gets this job.
    await committed;
    claims?.settle(job);
    this.accepted++;
    return job;
  }

  async #unclaim(job: string): Promise<void> {
    await this.#parts.files.unclaim(job).catch(() => undefined);
    this.#parts.claims?.settle(job);
  }
}
