/**
 * Asks one question in the stand that this file lies in, and prints its answer: `node ask.ts ID FACTOR RUNS`. The last line of the
 * output is `{"answer": …}`, or `{"skipped": reason}` where the question cannot be asked on this machine.
 */
import { Skipped } from "./question.ts";
import { questions } from "./questions.ts";

const [id, factor, runs] = process.argv.slice(2);
const question = questions.find((one) => one.id === id);
if (question === undefined) throw new RangeError(`no benchmark ${id}`);
const result = await question.run({ factor: Number(factor), runs: Number(runs) }).then(
  (answer) => ({ answer }),
  (error: unknown) => {
    if (error instanceof Skipped) return { skipped: error.message };
    throw error;
  },
);
console.log(JSON.stringify(result));
