/**
 * What the commands of replayed events still have to bring about. They were carried out once, unless the master died in between;
 * so whatever is done here can be done twice.
 *
 *   log                       its line, unless the job's log has it
 *   job-ended                 the node learns of the job's out-of-band values
 *   drop-files, forget-job    files are deleted, those of purged jobs as well
 *   assign, cancel, stop-job  nothing: the node says what it has when it joins, and that is compared
 *   set-timer                 nothing: the machine knows which are pending
 */
import type { Command, DropFiles, ForgetJob, JobEnded, Log } from "../core/commands.ts";
import type { EventLogs } from "./event-log.ts";

/** What the end of a job, or of its records, has done to files. */
export type Ending = JobEnded | DropFiles | ForgetJob;

const rememberedEnds = 1_000;

export class Replayed {
  readonly #logs: EventLogs;
  /** By job: the number of the last line in its log, and lines that are not there yet. */
  readonly #lines = new Map<string, { readonly last: number; readonly missing: Log[] }>();
  /** By job, in the order of the journal. */
  readonly #ends = new Map<string, Ending[]>();

  constructor(logs: EventLogs) {
    this.#logs = logs;
  }

  take(command: Command): void {
    switch (command.kind) {
      case "log":
        this.#line(command);
        break;
      case "job-ended":
      case "drop-files":
        this.#end(command);
        break;
      case "forget-job":
        // Neither its lines nor its results matter any more.
        this.#lines.delete(command.job);
        this.#ends.set(
          command.job,
          (this.#ends.get(command.job) ?? []).filter(({ kind }) => kind === "drop-files"),
        );
        this.#end(command);
        break;
    }
  }

  /** Adds the missing lines to the logs. `isActive`: others end with them. */
  writeLines(write: (line: Log) => void, isActive: (job: string) => boolean): void {
    for (const [job, { missing }] of this.#lines) {
      for (const line of missing) write(line);
      if (missing.length > 0 && !isActive(job)) this.#logs.end(job);
    }
    this.#lines.clear();
  }

  /** Of one that follows for long, those of the last jobs matter: what was before, the master that leads has done by now. */
  forgetOldEnds(): void {
    for (const job of this.#ends.keys()) {
      if (this.#ends.size <= rememberedEnds) return;
      this.#ends.delete(job);
    }
  }

  /** What ends of jobs have left to do, the oldest first. */
  *ends(): Generator<Ending> {
    for (const commands of this.#ends.values()) yield* commands;
  }

  #line(line: Log): void {
    let lines = this.#lines.get(line.job);
    if (lines === undefined)
      this.#lines.set(line.job, (lines = { last: this.#logs.lastNumber(line.job), missing: [] }));
    if (line.line > lines.last) lines.missing.push(line);
  }

  #end(command: Ending): void {
    const commands = this.#ends.get(command.job);
    if (commands === undefined) this.#ends.set(command.job, [command]);
    else commands.push(command);
  }
}
