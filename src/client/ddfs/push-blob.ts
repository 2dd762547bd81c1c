/**
 * One blob to K nodes, with Disco's answer to failures: nodes that failed are left out, and the master is asked for others.
 *
 *   new blob ─▶ upload to all ─▶ enough stored ───────────────────▶ their addresses
 *      ▲                    └──▶ too few ─▶ leave out who failed ─┐
 *      └──────────────────────────────────────────────────────────┘
 *
 * Each attempt is a blob of its own: what an attempt that was given up has stored is named by no tag, and collected. Where leaving out
 * leaves too few nodes, those come back into question, after a while, that may do better next time. A stream that was read is read again from what a
 * node has of it already, or from memory as long as it is short.
 */
import { DiscoError } from "../../errors.ts";
import type { BlobTarget, DdfsApi } from "./ddfs-api.ts";
import { fanOut, SourceError } from "./fan-out.ts";
import { PushInput } from "./push-input.ts";
import type { PushSource } from "./push-source.ts";

export interface PushBlobOptions {
  /** `undefined`: as many as is usual for the master. */
  readonly replicas: number | undefined;
  /** Fewer are accepted, down to this. `undefined`: all are wanted. */
  readonly minReplicas: number | undefined;
  readonly include: readonly string[];
  /** How often nodes may fail. */
  readonly retries: number;
  readonly progress?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Api = Pick<DdfsApi, "newBlob" | "putBlob" | "openBlob">;

/** Doubled with each attempt. */
const firstWaitMs = 50;
const waitMsMax = 5_000;
/** What another node may have room for. */
const lasting: ReadonlySet<string> = new Set(["disk-full", "no-volume"]);

/**
 * Returns the addresses of the replicas.
 * @throws DiscoError `not-enough-nodes`, `push-failed` with what each node said, `stream-lost`; DataError `file-changed`; what the source throws
 */
export async function pushBlob(api: Api, source: PushSource, options: PushBlobOptions): Promise<string[]> {
  const input = new PushInput(api, source);
  try {
    return await pushInput(api, input, source, options);
  } catch (error) {
    throw error instanceof SourceError ? error.cause : error;
  } finally {
    await input.close(options.signal?.aborted === true);
  }
}

async function pushInput(api: Api, input: PushInput, source: PushSource, options: PushBlobOptions): Promise<string[]> {
  const excluded = new Map<string, Error>();
  const failures: Failure[] = [];
  const { progress, signal } = options;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const targets = await targetsFor(api, source, options, excluded, failures, attempt);
    const { uploads } = await fanOut(api, input.open(failures.at(-1)?.error), {
      targets,
      ...input.known,
      progress,
      signal,
    });
    const stored = uploads.flatMap((upload) => upload.stored ?? []);
    if (stored.length >= Math.min(options.minReplicas ?? targets.length, targets.length))
      return stored.map(({ url }) => url);
    input.stored(stored);
    for (const { target, failure } of uploads) {
      if (failure === undefined) continue;
      excluded.set(target.host, failure);
      failures.push({ host: target.host, error: failure });
    }
    if (attempt >= options.retries) throw pushFailed(source, failures);
  }
}

interface Failure {
  readonly host: string;
  readonly error: Error;
}

/** Places for the replicas; fewer than are wanted where fewer will do. */
async function targetsFor(
  api: Api,
  source: PushSource,
  { replicas, minReplicas, include, signal }: PushBlobOptions,
  excluded: Map<string, Error>,
  failures: readonly Failure[],
  attempt: number,
): Promise<BlobTarget[]> {
  for (;;) {
    let refusal: unknown = null;
    for (const count of countsOf(replicas, minReplicas)) {
      try {
        return await api.newBlob(source.name, {
          ...(count === undefined ? {} : { replicas: count }),
          include: include.filter((host) => !excluded.has(host)),
          exclude: [...excluded.keys()],
        });
      } catch (error) {
        if (!(error instanceof DiscoError) || error.code !== "not-enough-nodes") throw error;
        refusal = error;
      }
    }
    const back = [...excluded].filter(([, error]) => mayDoBetter(error));
    if (back.length === 0) throw failures.length === 0 ? refusal : pushFailed(source, failures, refusal);
    for (const [host] of back) excluded.delete(host);
    await pause(Math.min(firstWaitMs * 2 ** attempt, waitMsMax), signal);
  }
}

/** Who was busy or broke off for a moment may do better after it; a disk that is full will not. */
function mayDoBetter(error: Error): boolean {
  return !(error instanceof DiscoError) || (error.retry !== "never" && !lasting.has(error.code));
}

/** Numbers of replicas to ask for, in order; `undefined`: what is usual. */
function countsOf(replicas: number | undefined, min: number | undefined): (number | undefined)[] {
  const counts: (number | undefined)[] = [replicas];
  if (min === undefined) return counts;
  if (replicas === undefined) return [undefined, min];
  for (let count = replicas - 1; count >= min; count--) counts.push(count);
  return counts;
}

function pushFailed(source: PushSource, failures: readonly Failure[], refusal?: unknown): DiscoError {
  const last = failures.at(-1);
  const reasons = new Map(failures.map(({ host, error }) => [host, error.message]));
  const list = [...reasons].map(([host, reason]) => `\n  ${host}: ${reason}`).join("");
  const more = refusal instanceof Error ? `\n  the master: ${refusal.message}` : "";
  return new DiscoError(`${source.shown} could not be stored on enough nodes:${list}${more}`, {
    code: "push-failed",
    retry: "here",
    ...(last === undefined ? {} : { node: last.host }),
    cause: last?.error,
    hint: "Nothing was tagged. Ask for fewer replicas, accept fewer (minReplicas), or try again when the nodes are back.",
  });
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { setTimeout: wait } = await import("node:timers/promises");
  await wait(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
}
