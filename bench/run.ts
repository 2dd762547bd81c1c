/**
 * `npm run bench` runs every benchmark, `npm run bench -- P3 P5` some of them, `--smoke` all on 1 % of the data. Prints each
 * figure beside its baseline of the same run and its target, and writes `bench/results.json`. `--profile` prints what the time of a
 * job's tasks went into instead. `README.md` says how to read it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ask, askForProfile } from "./asking.ts";
import { svgPlot } from "./plot.ts";
import { sharesOf } from "./profile-shares.ts";
import type { Question, Scale } from "./question.ts";
import { questions } from "./questions.ts";
import { printAnswer, printComparison, printShares } from "./report.ts";
import { machine, record, resultsFile } from "./results-file.ts";
import { otherStand, packageStand, type Stand, sourceStand } from "./stand.ts";
import { versus } from "./versus.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: "boolean", default: false },
    scale: { type: "string" },
    runs: { type: "string" },
    source: { type: "boolean", default: false },
    vs: { type: "string" },
    profile: { type: "boolean", default: false },
  },
});
const scale: Scale = {
  factor: Number(values.scale ?? (values.smoke ? 0.01 : 1)),
  runs: Number(values.runs ?? (values.smoke ? 1 : 3)),
};
if (!(scale.factor > 0) || !Number.isInteger(scale.runs) || scale.runs < 1) {
  throw new RangeError("--scale takes a number above 0, --runs a whole number from 1 on");
}
if (values.profile && values.vs !== undefined) throw new RangeError("--profile is not for --vs");
if (values.source && values.vs !== undefined) throw new RangeError("--vs compares builds: not with --source");

const wanted = positionals.map((id) => id.toUpperCase());
const unknown = wanted.filter((id) => !questions.some((question) => question.id === id));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${questions.map(({ id }) => id).join(", ")}`);
  process.exit(2);
}
const asked = questions.filter(({ id }) => wanted.length === 0 || wanted.includes(id));

const { node, cpu, cores, memoryGb } = machine();
console.log(`Node ${node}, ${cores} x ${cpu}, ${memoryGb} GB, scale ${scale.factor}, ${scale.runs} runs`);
using ours = values.source ? sourceStand() : packageStand();
if (values.profile) {
  for (const question of asked) await profile(question, ours);
} else if (values.vs === undefined) {
  for (const question of asked) await answer(question, ours);
} else {
  using theirs = otherStand(values.vs);
  for (const question of asked) {
    console.log(`\n${question.id}  ${question.title}`);
    printComparison(await versus(question.id, ours, theirs, scale), theirs.name);
  }
}

async function answer(question: Question, stand: Stand): Promise<void> {
  console.log(`\n${question.id}  ${question.title}\n    target: ${question.target}`);
  const result = await ask(stand, question.id, scale);
  if ("skipped" in result) {
    console.log(`    skipped: ${result.skipped}`);
    return;
  }
  if (scale.factor === 1) {
    for (const { file, plot } of result.answer.plots ?? []) {
      writeFileSync(join(import.meta.dirname, "..", "docs", file), svgPlot(plot));
    }
  }
  const from = values.source ? "source" : "package";
  printAnswer(
    record(resultsFile(scale.factor), question, result.answer, { ...scale, from, args: process.argv.slice(2) }),
  );
}

async function profile(question: Question, stand: Stand): Promise<void> {
  console.log(`\n${question.id}  ${question.title}\n    profile of its tasks`);
  const result = await askForProfile(stand, question.id, scale);
  if ("skipped" in result) console.log(`    skipped: ${result.skipped}`);
  else printShares(sharesOf(result.profile));
}
