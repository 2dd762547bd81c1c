/**
 * `npm run bench` runs every benchmark, `npm run bench -- P3 P5` some of them, `--smoke` all on 1 % of the data.
 * Prints each figure beside its baseline of the same run and its target, and writes `bench/results.json`.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { p1, p2 } from "./p1-p2-word-count.ts";
import { p3 } from "./p3-sort.ts";
import { p5 } from "./p5-latency.ts";
import { p6 } from "./p6-many-tasks.ts";
import { p10 } from "./p10-memory.ts";
import { p11 } from "./p11-profile.ts";
import { p12 } from "./p12-job-list.ts";
import { p13 } from "./p13-many-jobs.ts";
import { type Answer, type Figure, type Question, Skipped } from "./question.ts";

const questions: readonly Question[] = [p1, p2, p3, p5, p6, p10, p11, p12, p13];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: "boolean", default: false },
    scale: { type: "string" },
    runs: { type: "string" },
  },
});
const factor = Number(values.scale ?? (values.smoke ? 0.01 : 1));
const runs = Number(values.runs ?? (values.smoke ? 1 : 3));
if (!(factor > 0) || !(runs >= 1)) throw new RangeError("--scale takes a number above 0, --runs a number from 1 on");

const wanted = positionals.map((id) => id.toUpperCase());
const unknown = wanted.filter((id) => !questions.some((question) => question.id === id));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${questions.map(({ id }) => id).join(", ")}`);
  process.exit(2);
}

const show = ({ value, unit }: Figure) =>
  `${value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })} ${unit}`;

console.log(
  `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 1e9)} GB, scale ${factor}, median of ${runs}`,
);
const answers: Record<string, Answer> = {};
for (const question of questions) {
  if (wanted.length > 0 && !wanted.includes(question.id)) continue;
  console.log(`\n${question.id}  ${question.title}`);
  const answer = await question.run({ factor, runs }).catch((error: unknown) => {
    if (!(error instanceof Skipped)) throw error;
    console.log(`    skipped: ${error.message}`);
    return null;
  });
  if (answer === null) continue;
  answers[question.id] = answer;
  console.log(`    ${answer.figure.name.padEnd(32)} ${show(answer.figure)}`);
  if (answer.baseline !== undefined) {
    console.log(`    ${answer.baseline.what.padEnd(32)} ${show(answer.baseline)}`);
    console.log(`    ${"ratio".padEnd(32)} ${answer.ratio?.toFixed(2)} x`);
  }
  console.log(`    ${"target".padEnd(32)} ${question.target}`);
  for (const other of answer.others) console.log(`    ${other.name.padEnd(32)} ${show(other)}`);
}
const results = join(import.meta.dirname, "results.json");
writeFileSync(
  results,
  `${JSON.stringify({ node: process.version, date: new Date().toISOString(), factor, runs, answers }, null, 2)}\n`,
);
