/**
 * `npm run bench` runs every benchmark, `npm run bench -- P3 P5` some of them, `--smoke` all on 1 % of the data. Prints each
 * figure beside its baseline of the same run and its target, and writes `bench/results.json`. `--profile` prints what the time of a
 * job's tasks went into instead. `README.md` says how to read it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArguments, usage } from "./arguments.ts";
import { type Asked, ask, askForProfile } from "./asking.ts";
import { svgPlot } from "./plot.ts";
import { Interrupted, ProcessGroups } from "./process-group.ts";
import { sharesOf } from "./profile-shares.ts";
import type { Question, Scale } from "./question.ts";
import { questions } from "./questions.ts";
import { printAnswer, printComparison, printShares } from "./report.ts";
import { machine, record, resultsFile } from "./results-file.ts";
import { isStand, otherStand, packageStand, type Stand, sourceStand } from "./stand.ts";
import { versus } from "./versus.ts";

const read = readArguments(process.argv.slice(2));
if (read.kind === "help") {
  console.log(usage);
  process.exit();
}
if (read.kind === "wrong") refuse(read.what);
const { scale, wanted, source, profile, vs } = read.arguments;
if (vs !== undefined && !isStand(vs)) refuse(`--vs ${vs}: there is neither such a checkout nor such a revision`);

const { node, cpu, cores, memoryGb } = machine();
console.log(`Node ${node}, ${cores} x ${cpu}, ${memoryGb} GB, scale ${scale.factor}, ${scale.runs} runs`);
using groups = new ProcessGroups();
try {
  await bench(questions.filter(({ id }) => wanted.length === 0 || wanted.includes(id)));
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}

function refuse(what: string): never {
  console.error(`${what}\n\n${usage}`);
  process.exit(2);
}

async function bench(asked: readonly Question[]): Promise<void> {
  using ours = source ? sourceStand() : await packageStand(groups);
  if (vs === undefined) {
    for (const question of asked) await (profile ? printProfile : answer)(question, ours);
    return;
  }
  using theirs = await otherStand(groups, vs);
  const askOne = (stand: Stand, id: string, of: Scale): Promise<Asked> => ask(groups, stand, id, of);
  for (const question of asked) {
    console.log(`\n${question.id}  ${question.title}`);
    printComparison(await versus(question.id, ours, theirs, scale, askOne), theirs.name);
  }
}

async function answer(question: Question, stand: Stand): Promise<void> {
  console.log(`\n${question.id}  ${question.title}\n    target: ${question.target}`);
  const result = await ask(groups, stand, question.id, scale);
  if ("skipped" in result) {
    console.log(`    skipped: ${result.skipped}`);
    return;
  }
  if (scale.factor === 1) {
    for (const { file, plot } of result.answer.plots ?? []) {
      writeFileSync(join(import.meta.dirname, "..", "docs", file), svgPlot(plot));
    }
  }
  const from = source ? "source" : "package";
  printAnswer(
    record(resultsFile(scale.factor), question, result.answer, { ...scale, from, args: process.argv.slice(2) }),
  );
}

async function printProfile(question: Question, stand: Stand): Promise<void> {
  console.log(`\n${question.id}  ${question.title}\n    profile of its tasks`);
  const result = await askForProfile(groups, stand, question.id, scale);
  if ("skipped" in result) console.log(`    skipped: ${result.skipped}`);
  else printShares(sharesOf(result.profile));
}
