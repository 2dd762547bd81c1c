/**
 * Asks one question in the stand that this file lies in, and prints its answer: `node ask.ts ID FACTOR RUNS`, with `profile` behind
 * that for the profile of its job. The last line of the output is `{"answer": …}`, `{"profile": …}`, or `{"skipped": reason}` where
 * the question cannot be asked on this machine.
 */
import { requireNumbers } from "./numbers.ts";
import { type Question, type Scale, Skipped } from "./question.ts";
import { questions } from "./questions.ts";

const [id, factor, runs, what] = process.argv.slice(2);
const question = questions.find((one) => one.id === id);
if (question === undefined) throw new RangeError(`no benchmark ${id}`);
const scale = { factor: Number(factor), runs: Number(runs) };
const result = await (what === "profile" ? profileOf(question, scale) : answerOf(question, scale)).catch(
  (error: unknown) => {
    if (error instanceof Skipped) return { skipped: error.message };
    throw error;
  },
);
console.log(JSON.stringify(result));

async function answerOf(asked: Question, of: Scale): Promise<object> {
  const answer = await asked.run(of);
  requireNumbers(asked.id, answer);
  return { answer };
}

async function profileOf(asked: Question, of: Scale): Promise<object> {
  if (asked.profile === undefined) throw new Skipped("nothing of it is profiled");
  return { profile: await asked.profile(of) };
}
