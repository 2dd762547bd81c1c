/** What the tests of faults share: an engine in a directory of its own, and the error with which a job ended. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Disco, type DiscoOptions, type Job, JobError } from "../../src/index.ts";

export interface Engine extends AsyncDisposable {
  readonly disco: Disco;
  readonly root: string;
  /** A directory for the test's own files, removed with the root. */
  readonly scratch: string;
}

export async function openEngine(options: Partial<DiscoOptions> = {}): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), "disco-faults-"));
  const root = options.root ?? join(folder, "root");
  const disco = new Disco(undefined, { workers: 2, ...options, root });
  return {
    disco,
    root,
    scratch: folder,
    async [Symbol.asyncDispose]() {
      await disco.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The error that ended the job; a job that succeeds fails the test, and so does one that hangs. */
export async function deathOf(job: Job): Promise<JobError> {
  const error = await job.wait({ timeout: 60 }).then(
    (results) => assert.fail(`the job succeeded: ${results.join(" ")}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof JobError, String(error));
  assert.ok(error.failure !== undefined, `no failure of a task ended the job: ${error.message}`);
  return error;
}

/** The messages of a job's events. */
export async function messagesOf(job: Job): Promise<string[]> {
  const messages: string[] = [];
  for await (const [, { message }] of job.events()) messages.push(message);
  return messages;
}
