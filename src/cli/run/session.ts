/**
 * Everything that one `disco run` has open: the master, the display, and the jobs it has started. Every job that is submitted
 * through the session's `Disco` is followed, whether the command or the module's own code submits it.
 */
import { join } from "node:path";
import { Disco, type DiscoOptions } from "../../client/disco.ts";
import type { JobInfo, MasterApi } from "../../client/master-api.ts";
import { adopt, discoArguments } from "../commands/open-disco.ts";
import type { ChosenMaster } from "../master/choose-master.ts";
import { openDisplay, type ProgressDisplay } from "../progress/display.ts";
import { type EventFormat, eventFormat } from "./event-format.ts";
import { FollowedJob } from "./followed-job.ts";
import { type Follower, followingMaster } from "./following-master.ts";
import type { RunOptions } from "./options.ts";
import { Outages, printToStderr } from "./outages.ts";
import { ProfileReport } from "./profile-report.ts";
import { WaitNotice } from "./wait-notice.ts";

/** How long somebody who stops waits for the answer to a submission that is on its way. */
const submissionWaitMs = 5000;
/** And so long for a master elsewhere that takes the question and says nothing. */
const silenceMs = 5_000;

/** What a command that stops could not end. */
export interface LeftJobs {
  /** Address of their master. */
  readonly master: string;
  readonly names: readonly string[];
}

export class Session implements Follower {
  readonly disco: Disco;
  readonly jobs: FollowedJob[] = [];
  readonly dataDirectory: string;
  /** With `--profile`. */
  readonly profile: ProfileReport | null;
  readonly outages: Outages;
  /** Jobs that were to be killed, and are as they were, because their master does not answer. */
  left: LeftJobs | null = null;
  readonly #address: string | null;
  readonly #display: ProgressDisplay;
  readonly #formatEvent: EventFormat;
  readonly #submitting = new Set<Promise<unknown>>();
  readonly #notices: WaitNotice[] = [];

  constructor(master: ChosenMaster, { quiet, events, workers, profile }: RunOptions) {
    this.dataDirectory = join(master.root, "data");
    adopt(master);
    this.#address = master.kind === "remote" ? master.address : null;
    this.outages = new Outages(printToStderr);
    this.#formatEvent = eventFormat(events === true);
    const [address, options] = discoArguments(master, workers === undefined ? {} : { workers });
    this.disco = new SessionDisco(address, options, this, profile === true ? { profile } : {});
    this.profile = profile === true ? new ProfileReport(this.disco) : null;
    this.#display = openDisplay(quiet === true ? "none" : "auto");
  }

  submitting(name: Promise<string>): void {
    const settled = name.then(
      () => {},
      () => {},
    );
    this.#submitting.add(settled);
    void settled.finally(() => this.#submitting.delete(settled));
  }

  submitted(master: MasterApi, name: string): void {
    if (this.jobs.some((job) => job.name === name)) return;
    const notice = new WaitNotice(printToStderr);
    this.#notices.push(notice);
    this.jobs.push(
      new FollowedJob(master, name, {
        update: (job) => {
          this.#display.update(job);
          notice.update(job);
        },
        event: (event, offset) => {
          const line = this.#formatEvent(event, offset);
          if (line !== null) printToStderr(line);
        },
      }),
    );
  }

  async forgetting(name: string, how: "clean" | "purge"): Promise<void> {
    const job = this.jobs.find((followed) => followed.name === name);
    if (job === undefined) return;
    await job.ended;
    await this.profile?.collect(name);
    if (how === "purge") job.purged = true;
  }

  /** The last known state of each job, in the order of submission. */
  infos(): JobInfo[] {
    return this.jobs.flatMap(({ info }) => (info === null ? [] : [info]));
  }

  /** Names of the jobs that have not ended. */
  active(): string[] {
    return this.jobs.filter((job) => job.active).map(({ name }) => name);
  }

  /**
   * Kills the jobs that still run, and waits until all is said. A master that does not answer keeps them: nobody who stops waits
   * for its return.
   */
  async end(): Promise<void> {
    const ended = this.#kill().then(() => this.settle());
    if (this.#address === null) return await ended;
    const { promise: silence, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, silenceMs);
    const isEnded = await Promise.race([
      ended.then(() => true),
      Promise.race([this.outages.begun, silence]).then(() => false),
    ]);
    clearTimeout(timer);
    const names = this.active();
    if (isEnded || names.length + this.#submitting.size === 0) return;
    this.left = { master: this.outages.master ?? this.#address, names };
  }

  /** A job whose submission has not been answered yet may run already, at a master that outlives this process. */
  async #kill(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, submissionWaitMs);
    await Promise.race([Promise.all(this.#submitting), late]);
    clearTimeout(timer);
    await Promise.allSettled(this.active().map((name) => this.disco.kill(name)));
  }

  /** Waits until all jobs are at their end and everything they said is printed. */
  async settle(): Promise<void> {
    await Promise.all(this.jobs.map(({ ended }) => ended));
  }

  /** The bars stay where they are: what is printed from now on comes below them. */
  closeDisplay(): void {
    this.#display.close();
    for (const notice of this.#notices) notice.close();
  }

  async close(): Promise<void> {
    this.closeDisplay();
    this.outages.close();
    await this.disco.close();
  }
}

class SessionDisco extends Disco {
  readonly #follower: Follower;
  readonly #jobOptions: { readonly profile?: boolean };
  #followed: Promise<MasterApi> | undefined;

  constructor(
    address: string | undefined,
    options: DiscoOptions,
    follower: Follower,
    jobOptions: { readonly profile?: boolean },
  ) {
    super(address, options);
    this.#follower = follower;
    this.#jobOptions = jobOptions;
  }

  override get jobOptions(): { readonly profile?: boolean } {
    return this.#jobOptions;
  }

  override master(): Promise<MasterApi> {
    this.#followed ??= super.master().then((master) => followingMaster(master, this.#follower));
    return this.#followed;
  }
}
