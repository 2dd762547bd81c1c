import { textFiles } from "./data.ts";
import { inTurn, memoryOf, peakLine, timeLines } from "./measure.ts";
import { textBytes, wordCountJob } from "./p1-p2-word-count.ts";
import type { Question } from "./question.ts";

export const p11: Question = {
  id: "P11",
  title: "the word count of P1 with profile: true",
  target: "none: the overhead that docs/profiling.md states",
  async run(scale) {
    const files = textFiles(Math.floor(textBytes * scale.factor));
    const [profiled = [], plain = []] = await inTurn(
      scale.runs,
      wordCountJob("profiled", files),
      wordCountJob("combiner", files),
    );
    return {
      lines: [
        ...timeLines(profiled, { what: "the same job, not profiled", runs: plain }),
        peakLine(profiled, "worker"),
      ],
      memory: memoryOf(profiled),
    };
  },
};
