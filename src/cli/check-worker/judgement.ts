/** What checks say of runs: how one ended, what it put out, and whether that is what another one put out. */
import { createHash } from "node:crypto";
import { lstat, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Bench } from "./bench.ts";
import type { ClaimedOutput } from "./situation.ts";
import type { Run, RunEnd } from "./worker-run.ts";

/** One thing that is not as it should be. */
export interface Deviation {
  readonly came: string;
  readonly expected: string;
  /** What to do about it. */
  readonly next: string;
}

export type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "failed"; readonly deviations: readonly Deviation[] }
  | { readonly kind: "skipped"; readonly reason: string };

export const ok: Outcome = { kind: "ok" };

export function failed(...deviations: readonly Deviation[]): Outcome {
  return deviations.length === 0 ? ok : { kind: "failed", deviations };
}

export function skipped(reason: string): Outcome {
  return { kind: "skipped", reason };
}

/** How a run ended, as what came instead of what was expected. */
export function endOf({ end, messages }: Run): string {
  const after = messages.length === 0 ? "" : ` after ${messages.at(-1)?.kind}`;
  switch (end.kind) {
    case "DONE":
      return "DONE";
    case "ERROR":
    case "FATAL":
      return `${end.kind} ${quoted(end.text)}`;
    case "refused":
      return end.reason;
    case "exited":
      return `the worker ended by itself (${end.how})${after}${end.lastWords === "" ? "" : `; its last words: ${quoted(end.lastWords.trim())}`}`;
    case "no-message":
      return `on ${end.stream}, what is no message${after}: ${end.reason}; received: ${quoted(end.received)}`;
    case "silent": {
      const half =
        end.unfinished === "" ? "" : `; a message has begun, and not ended: ${JSON.stringify(end.unfinished)}`;
      return `nothing for ${end.ms / 1_000} s${after}${half}`;
    }
    case "endless":
      return `messages for ${end.ms / 1_000} s, and no end`;
    case "not-started":
      return `the program cannot be started: ${end.reason}`;
  }
}

const quotedCharsMax = 300;
const wrongLength = /announced length/;

/** Of a long text, such as a traceback, the end tells most. */
function quoted(text: string): string {
  return text.length <= quotedCharsMax ? JSON.stringify(text) : `… ${JSON.stringify(text.slice(-quotedCharsMax))}`;
}

/** What usually helps, by the way in which a run ended. */
export function remedyFor({ kind, ...end }: RunEnd, otherwise: string): string {
  switch (kind) {
    case "no-message": {
      const { reason = "" } = end as { reason?: string };
      return wrongLength.test(reason)
        ? "LENGTH counts the bytes of the JSON in UTF-8, not its characters, and not the line feed. Encode first, then count."
        : "Send nothing but messages on both streams: text for people goes into MSG, also what libraries print.";
    }
    case "exited":
      return "Catch what went wrong and send it as ERROR (try this task again) or FATAL (end the job), then wait to be killed.";
    case "silent":
      return "Read answers as NAME SP LENGTH SP, then exactly LENGTH bytes and a line feed, until they are whole; flush after each message.";
    default:
      return otherwise;
  }
}

/** The deviation of a run that should have ended with DONE, if it did not. `next`: what the situation takes. */
export function notDone(run: Run, expected: string, next: string): Deviation | null {
  if (run.end.kind === "DONE") return null;
  const counts = run.end.kind === "no-message" && wrongLength.test(run.end.reason);
  return { came: endOf(run), expected, next: counts ? remedyFor(run.end, next) : next };
}

export interface CheckedOutputs {
  readonly deviations: readonly Deviation[];
  /** `LABEL HASH` of each output, sorted: names of files do not count. */
  readonly contents: readonly string[];
  readonly paths: readonly string[];
}

/** Looks at the outputs that a run claims to have made. */
export async function checkOutputs({ end }: Run, { home }: Bench): Promise<CheckedOutputs> {
  const deviations: Deviation[] = [];
  const contents: string[] = [];
  const paths: string[] = [];
  for (const output of end.kind === "DONE" ? end.outputs : []) {
    const { label, place, size } = output;
    if (place.kind === "address") {
      contents.push(`${label} ${place.url}`);
      continue;
    }
    const path = place.segments.join("/");
    const wrong = await wrongFile(home, path, size);
    paths.push(path);
    if (wrong === null) contents.push(`${label} ${hashOf(await readFile(join(home, path)))}`);
    else deviations.push({ ...wrong, came: `${shown(output, path)}: ${wrong.came}` });
  }
  return { deviations, contents: contents.toSorted(), paths };
}

async function wrongFile(home: string, path: string, size: number): Promise<Deviation | null> {
  const file = join(home, path);
  const found = await lstat(file).catch(() => null);
  const expected = "a regular file below the job home, of the size that OUTPUT says";
  if (found === null) {
    const next = "Write the file relative to the job home (the directory in which the worker is started), before DONE.";
    return { came: "there is no such file", expected, next };
  }
  if (!found.isFile() || !(await realpath(file)).startsWith(home + sep)) {
    return { came: "this is no regular file of the job home", expected, next: "Write the data themselves, no link." };
  }
  if (found.size === size) return null;
  const next = "Close (or flush) the file before its size is taken, and give the number of its bytes.";
  return { came: `the file has ${found.size} bytes`, expected, next };
}

/** A run that should have put out what another one did. */
export async function otherResults(
  run: Run,
  usual: Run,
  bench: Bench,
  expected: string,
  next: string,
): Promise<Deviation | null> {
  const [its, theirs] = [await checkOutputs(run, bench), await checkOutputs(usual, bench)];
  const [broken] = its.deviations;
  if (broken !== undefined) return broken;
  if (its.contents.join("\n") === theirs.contents.join("\n")) return null;
  const came = `other results: ${count(its.contents)}; ${count(theirs.contents)} were expected${
    its.contents.length === theirs.contents.length ? ", with other contents" : ""
  }`;
  return { came, expected, next };
}

function count(contents: readonly string[]): string {
  const labels = [...new Set(contents.map((each) => each.split(" ")[0]))];
  return `${contents.length} output${contents.length === 1 ? "" : "s"} of label${labels.length === 1 ? "" : "s"} ${labels.join(", ") || "none"}`;
}

function shown({ label, size }: ClaimedOutput, path: string): string {
  return `OUTPUT ${JSON.stringify([label, path, size])}`;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
