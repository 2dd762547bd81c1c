/**
 * One engine for all scenarios of a file, in a directory of its own that is removed at the end: the embedded one, or with
 * `DISCO_TEST_DAEMON=1` a daemon, which must answer every scenario alike.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Disco, type DiscoOptions, type Job } from "disco-mapreduce";
import { startDaemon } from "../daemon/daemon.test-kit.ts";

/** The scenarios run on a daemon. */
export const onDaemon = process.env["DISCO_TEST_DAEMON"] === "1";

export interface Bench {
  readonly disco: Disco;
  readonly root: string;
  /** Of the daemon; `null`: the engine is embedded. */
  readonly address: string | null;
  /** The file behind an address of a result. */
  path(url: string): string;
  /** Writes a file for jobs to read, and returns its path. */
  file(name: string, contents: string | Uint8Array): Promise<string>;
  close(): Promise<void>;
}

export async function openBench(options: Pick<DiscoOptions, "labels"> = {}): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), "disco-seed-"));
  const engine = onDaemon ? await daemonOf(join(root, "engine"), options) : embedded(join(root, "engine"), options);
  const { disco } = engine;
  return {
    disco,
    root,
    address: engine.address,
    path: (url) => url.replace(/^(?:dir|disco):\/\/[^/]+\/disco/, join(root, "engine", "data")),
    async file(name, contents) {
      const path = join(root, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, contents);
      return path;
    },
    async close() {
      await engine[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Engine = AsyncDisposable & { readonly disco: Disco; readonly address: string | null };

function embedded(root: string, options: DiscoOptions): Engine {
  const disco = new Disco(undefined, { root, workers: 2, ...options });
  return { disco, address: null, [Symbol.asyncDispose]: () => disco.close() };
}

async function daemonOf(root: string, { labels = {} }: Pick<DiscoOptions, "labels">): Promise<Engine> {
  const list = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const daemon = await startDaemon({ root, ...(list.length === 0 ? {} : { env: { DISCO_LABELS: list.join(",") } }) });
  const disco = new Disco(daemon.address);
  return {
    disco,
    address: daemon.address,
    async [Symbol.asyncDispose]() {
      await disco.close();
      await daemon[Symbol.asyncDispose]();
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
