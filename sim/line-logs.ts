/**
 * The logs of jobs, as a shell keeps them that adds the lines it does not have yet: those that a replay says once more have to be
 * the same, and none may be missing.
 */
import type { Log } from "../src/core/commands.ts";

export class LineLogs {
  readonly #logs = new Map<string, string[]>();

  /** @throws when the line is not the next one, nor one of those before, word for word */
  add({ job, line, at, message }: Log): void {
    const log = this.#logs.get(job) ?? [];
    this.#logs.set(job, log);
    const text = `${at} ${message}`;
    if (line > log.length) throw new Error(`${job} has no line ${log.length}: ${line} follows`);
    if (line === log.length) log.push(text);
    else if (log[line] !== text) throw new Error(`line ${line} of ${job} is "${log[line]}", and then "${text}"`);
  }
}
