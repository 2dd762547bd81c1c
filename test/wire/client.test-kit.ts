/** Jobs of foreign workers, submitted and read by a client in Python (`python/client.py`). */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { killAtExit } from "../../src/child-process.test-kit.ts";
import { python } from "./python.test-kit.ts";

const root = join(import.meta.dirname, "..", "..");
const client = join(import.meta.dirname, "python", "client.py");
/** Files of the job home, by name. */
export const wordCountFiles = { "word_count.py": join(root, "examples", "workers", "word_count.py") };
export const scenarioFiles = { ...wordCountFiles, "scenarios.py": join(import.meta.dirname, "python", "scenarios.py") };

export interface WireJob {
  /** Default 2. */
  readonly version?: 1 | 2;
  /** What `prefix`, `owner` and `worker` are not said in: these are `wire`, `test@wire` and the first of `files`. */
  readonly jobdict: Readonly<Record<string, unknown>>;
  readonly jobenvs?: Readonly<Record<string, string>>;
  /** Default: the word count. */
  readonly files?: Readonly<Record<string, string>>;
  /** For the worker. */
  readonly data?: unknown;
}

export interface WireEnd {
  readonly job: string;
  readonly status: "ready" | "dead";
  readonly results: readonly (string | readonly string[])[];
  /** Of each output that the results' indexes name; in the place of data that are not in Disco, their address. */
  readonly outputs: readonly (readonly [label: number, contents: string])[];
  readonly events: readonly string[];
}

/** Submits a job, waits until it has ended, and reads its results. */
export async function runWireJob(master: string, job: WireJob): Promise<WireEnd> {
  return JSON.parse(await ask([master, "run"], job)) as WireEnd;
}

export async function submitWireJob(master: string, job: WireJob): Promise<string> {
  return (JSON.parse(await ask([master, "submit"], job)) as { job: string }).job;
}

export async function waitForWireJob(master: string, job: string): Promise<WireEnd> {
  return JSON.parse(await ask([master, "wait", job])) as WireEnd;
}

async function ask(args: readonly string[], job?: WireJob): Promise<string> {
  const child = spawn(python, [client, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  killAtExit(child);
  child.stdin.on("error", () => undefined);
  child.stdin.end(job === undefined ? "" : JSON.stringify(whole(job)));
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  assert.equal(child.exitCode, 0, complaint);
  return said;
}

function whole({ version = 2, jobdict, files = wordCountFiles, ...rest }: WireJob): WireJob {
  const usual = { prefix: "wire", owner: "test@wire", worker: Object.keys(files).at(-1), scheduler: {} };
  return { version, jobdict: { ...usual, ...jobdict }, files, ...rest };
}
