/** One embedded engine for all scenarios of a file, in a directory of its own that is removed at the end. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Disco, type DiscoOptions, type Job } from "disco-mapreduce";

export interface Bench {
  readonly disco: Disco;
  readonly root: string;
  /** Writes a file for jobs to read, and returns its path. */
  file(name: string, contents: string | Uint8Array): Promise<string>;
  close(): Promise<void>;
}

export async function openBench(options: DiscoOptions = {}): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), "disco-seed-"));
  const disco = new Disco(undefined, { root: join(root, "engine"), workers: 2, ...options });
  return {
    disco,
    root,
    async file(name, contents) {
      const path = join(root, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, contents);
      return path;
    },
    async close() {
      await disco.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** What `promise` rejects with, for assertions about several of its properties. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error as Error & Record<string, unknown>;
    throw error;
  }
  throw new Error("it was expected to fail");
}

/** All records, as text, sorted: for results whose order is no part of the scenario. */
export async function sorted(records: AsyncIterable<readonly unknown[]>): Promise<string[]> {
  const texts: string[] = [];
  for await (const record of records) texts.push(record.map(String).join(" "));
  return texts.sort();
}

/** Resolves when the job has an event that matches: what a task printed, or what the engine says of it. */
export async function heard(job: Job<unknown, unknown>, text: RegExp): Promise<void> {
  for await (const [, { message }] of job.events()) if (text.test(message)) return;
  throw new Error(`${job.name} ended without an event that matches ${text}`);
}
