/** Checks of how answers arrive, and of what nobody hopes for. */
import type { Check } from "./checks.ts";
import { sameAsPlain } from "./input-checks.ts";
import { endOf, failed, ok, remedyFor } from "./judgement.ts";

/** About what a busy node takes. */
const slowAnswerMs = 400;
/** Of a worker whose node is gone. */
const goneMs = 5_000;
/** Together more than any pipe or buffer holds. */
const manyReplicas = 20_000;

export const delivery: readonly Check[] = [
  {
    id: "single-bytes",
    title: "waits for the whole of an answer that comes byte by byte",
    async run(bench) {
      const next = "A read may return less than was asked for: go on until the message is whole.";
      return sameAsPlain(bench, { steps: [bench.inputs()], delivery: "single-bytes" }, next);
    },
  },
  {
    id: "slow-answers",
    title: "waits for answers that take their time",
    async run(bench) {
      const next = "Wait for answers: up to ten minutes, as the protocol advises.";
      return sameAsPlain(bench, { steps: [bench.inputs()], delayMs: slowAnswerMs }, next);
    },
  },
  {
    id: "large-answer",
    title: "reads an answer of a megabyte",
    async run(bench) {
      const steps = [
        bench.inputs().map(({ label, replicas }, i) => {
          const many = Array.from({ length: i === 0 ? manyReplicas : 0 }, (_, n) =>
            bench.address(`other/replica-${n}`),
          );
          return { label, replicas: [...replicas, ...many] };
        }),
      ];
      const next = "LENGTH may have up to ten digits: read as much as it says, in as many pieces as it takes.";
      return sameAsPlain(bench, { steps }, next);
    },
  },
  {
    id: "unknown-stage",
    title: "says FATAL or ERROR of a stage that it does not know, but does not just end",
    async run(bench) {
      const stage = "no-such-stage";
      const run = await bench.run({ steps: [bench.inputs()], task: { stage } });
      // A worker of one stage need not look at its name.
      if (run.end.kind === "FATAL" || run.end.kind === "ERROR" || run.end.kind === "DONE") return ok;
      const expected = `FATAL, with a text that names the stage ${stage}`;
      return failed({ came: endOf(run), expected, next: remedyFor(run.end, "Send FATAL.") });
    },
  },
  {
    id: "node-gone",
    title: "ends when its node is gone",
    async run(bench) {
      const silenceMsMax = Math.min(goneMs, bench.limits.silenceMsMax);
      const run = await bench.run({ steps: [bench.inputs()], goneAt: "TASK" }, { ...bench.limits, silenceMsMax });
      if (run.end.kind === "exited") return ok;
      const next =
        "Take the end of standard input for the end of the node, and end as well: nobody else is there to end it.";
      return failed({ came: endOf(run), expected: "that it ends when standard input ends", next });
    },
  },
];
