/** All benchmarks, in the order in which they run. */
import { growth } from "./growth.ts";
import { p1, p2 } from "./p1-p2-word-count.ts";
import { p1b } from "./p1b-built-in-words.ts";
import { p3 } from "./p3-sort.ts";
import { p4 } from "./p4-grep.ts";
import { p5 } from "./p5-latency.ts";
import { p6 } from "./p6-many-tasks.ts";
import { p7 } from "./p7-scheduler.ts";
import { p8 } from "./p8-ddfs.ts";
import { p9 } from "./p9-results.ts";
import { p10 } from "./p10-memory.ts";
import { p11 } from "./p11-profile.ts";
import { p12 } from "./p12-job-list.ts";
import { p13 } from "./p13-many-jobs.ts";
import { p14 } from "./p14-languages.ts";
import type { Question } from "./question.ts";

export const questions: readonly Question[] = [
  p1,
  p1b,
  p2,
  p3,
  p4,
  p5,
  p6,
  p7,
  p8,
  p9,
  p10,
  p11,
  p12,
  p13,
  p14,
  growth,
];
