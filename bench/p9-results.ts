import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { cpuOf, inTurn, type Measured, measure, memoryOf, secondsOf } from "./measure.ts";
import type { Answer, Line, Question, Scale, Target } from "./question.ts";

const here = import.meta.dirname;
const fullPairs = 10_000_000;
const ratioMax = 1.2;
/** Behind the name of a line whose values have another one's baseline as well. */
const besideLanguage = ", beside the language's own cost";

interface Report {
  readonly seconds?: number;
  readonly cpuSeconds?: number;
  readonly records: number;
  readonly sum: number;
  readonly units: number;
}

type Run = Measured<Report>;

async function run({ factor, runs }: Scale): Promise<Answer> {
  const pairs = Math.floor(fullPairs * factor);
  const { results } = await makePairs(pairs);
  const files = globSync("data/**/*.disco", { cwd: process.env["DISCO_ROOT"] ?? "" }).sort();
  const paths = files.map((file) => join(process.env["DISCO_ROOT"] ?? "", file));
  const [forAwait = [], forOf = [], toArray = [], each = [], array = [], awaited = []] = await inTurn<Run>(
    runs,
    read("for-await", results),
    read("for-of", results),
    read("to-array", results),
    decode("each", paths),
    decode("array", paths),
    decode("await", paths),
  );
  const remote = await overHttp(pairs, runs);
  for (const { report } of [
    ...forAwait,
    ...forOf,
    ...toArray,
    ...array,
    ...awaited,
    ...remote.forAwait,
    ...remote.toArray,
  ]) {
    for (const seen of ["records", "sum", "units"] as const) assert.equal(report[seen], each[0]?.report[seen], seen);
  }
  const target = { kind: "ratio-max", value: ratioMax } as const;
  const decoding = "decoding the same blocks from memory";
  const intoArray = "the same into an array";
  return {
    lines: [
      ...lines("for … of", forOf, decoding, each, target),
      ...lines("for await", forAwait, decoding, each, target),
      ...lines(`for await${besideLanguage}`, forAwait, "a promise a record and nothing else", awaited).map((line) => ({
        ...line,
        again: line.name.replace(besideLanguage, ""),
      })),
      ...lines("toArray", toArray, intoArray, array, target),
      ...lines("for await, over HTTP", remote.forAwait, decoding, each),
      ...lines("toArray, over HTTP", remote.toArray, intoArray, array),
    ],
    memory: [
      ...[forAwait, forOf, toArray, each, array, awaited].flatMap((runs) => memoryOf(runs, "local")),
      ...[remote.forAwait, remote.toArray].flatMap((runs) => memoryOf(runs, "over HTTP")),
    ],
  };
}

async function makePairs(pairs: number, env: Record<string, string> = {}): Promise<{ results: string[] }> {
  const job = await measure<{ results: string[] }>([process.execPath, join(here, "jobs/pairs.ts"), String(pairs)], {
    env,
  });
  return job.report;
}

const read =
  (way: string, results: readonly string[], env: Record<string, string> = {}) =>
  (): Promise<Run> =>
    measure<Report>([process.execPath, join(here, "jobs/read-results.ts"), way, ...results], { env, process: way });

const decode = (kind: string, files: readonly string[]) => (): Promise<Run> =>
  measure<Report>([process.execPath, join(here, "baselines/decode-blocks.ts"), kind, ...files], {
    process: `decoding (${kind})`,
  });

/** Read from a daemon whose files are not those of the reading process's root: everything comes through its server. */
async function overHttp(pairs: number, runs: number): Promise<{ forAwait: Run[]; toArray: Run[] }> {
  const daemon = await startDaemon({ DISCO_WORKERS: "2" });
  try {
    const env = { DISCO_MASTER: daemon.address, DISCO_ROOT: tmpdir() };
    const { results } = await makePairs(pairs, env);
    const [forAwait = [], toArray = []] = await inTurn(
      runs,
      read("for-await", results, env),
      read("to-array", results, env),
    );
    return { forAwait, toArray };
  } finally {
    await daemon.stop();
  }
}

function lines(name: string, runs: readonly Run[], what: string, baseline: readonly Run[], target?: Target): Line[] {
  const wall: Line = {
    name,
    unit: "s",
    values: secondsOf(runs),
    baseline: { what, values: secondsOf(baseline) },
  };
  const cpu: Line = {
    name: `${name}: cpu`,
    unit: "s",
    values: cpuOf(runs),
    baseline: { what, values: cpuOf(baseline) },
  };
  return [target === undefined ? wall : { ...wall, target }, cpu];
}

export const p9: Question = {
  id: "P9",
  title: "resultIterator over 10 M (string, number) pairs, in three ways, of local files and over HTTP",
  target: "wall ≤ 1.2× of decoding the same blocks from memory",
  run,
};
