/**
 * Everything that one `disco run` has open: the engine, the display, and the jobs it has started. Every job that is
 * submitted through the session's `Disco` is followed, whether the command or the module's own code submits it.
 */
import { join } from "node:path";
import { rootDirectory } from "../../client/data-place.ts";
import { Disco, type DiscoOptions } from "../../client/disco.ts";
import type { JobEvent, JobInfo, MasterApi } from "../../client/master-api.ts";
import { formatEvent, formatTaskMessage } from "../print/event-line.ts";
import { openDisplay, type ProgressDisplay } from "../progress/display.ts";
import { FollowedJob } from "./followed-job.ts";
import { type Follower, followingMaster } from "./following-master.ts";
import type { RunOptions } from "./options.ts";

export class Session implements Follower {
  readonly disco: Disco;
  readonly jobs: FollowedJob[] = [];
  readonly dataDirectory: string;
  readonly #display: ProgressDisplay;
  readonly #formatEvent: (event: JobEvent) => string | null;

  constructor({ quiet, events, root, workers }: RunOptions) {
    this.#display = openDisplay(quiet === true ? "none" : "auto");
    this.#formatEvent = events === true ? formatEvent : formatTaskMessage;
    this.dataDirectory = join(rootDirectory(root), "data");
    const options = { ...(root === undefined ? {} : { root }), ...(workers === undefined ? {} : { workers }) };
    this.disco = new SessionDisco(options, this);
  }

  submitted(master: MasterApi, name: string): void {
    if (this.jobs.some((job) => job.name === name)) return;
    this.jobs.push(
      new FollowedJob(master, name, {
        update: (job) => this.#display.update(job),
        event: (event) => {
          const line = this.#formatEvent(event);
          if (line !== null) process.stderr.write(`${line}\n`);
        },
      }),
    );
  }

  async forgetting(name: string, how: "clean" | "purge"): Promise<void> {
    const job = this.jobs.find((followed) => followed.name === name);
    if (job === undefined) return;
    await job.ended;
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

  async kill(): Promise<void> {
    await Promise.allSettled(this.active().map((name) => this.disco.kill(name)));
  }

  /** Waits until all jobs are at their end and everything they said is printed. */
  async settle(): Promise<void> {
    await Promise.all(this.jobs.map(({ ended }) => ended));
  }

  /** The bars stay where they are: what is printed from now on comes below them. */
  closeDisplay(): void {
    this.#display.close();
  }

  async close(): Promise<void> {
    this.#display.close();
    await this.disco.close();
  }
}

class SessionDisco extends Disco {
  readonly #follower: Follower;
  #followed: Promise<MasterApi> | undefined;

  constructor(options: DiscoOptions, follower: Follower) {
    super(undefined, options);
    this.#follower = follower;
  }

  override master(): Promise<MasterApi> {
    this.#followed ??= super.master().then((master) => followingMaster(master, this.#follower));
    return this.#followed;
  }
}
