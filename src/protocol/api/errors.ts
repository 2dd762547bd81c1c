/** What every error answers: the reason, its code for programs, and what to do next. */
import * as v from "valibot";

export const retryPolicy = v.picklist(["here", "elsewhere", "never"]);

export const taskFailure = v.object({
  code: v.string(),
  name: v.pipe(v.string(), v.description("Class of the error, e.g. `TypeError`.")),
  message: v.string(),
  retry: retryPolicy,
  stack: v.exactOptional(v.string()),
  location: v.exactOptional(
    v.pipe(
      v.object({ file: v.string(), line: v.number(), column: v.number() }),
      v.description("Where in the user's source it was thrown; lines and columns count from 1."),
    ),
  ),
  frame: v.exactOptional(v.pipe(v.string(), v.description("The lines of source around it, with a marker."))),
  hint: v.exactOptional(v.string()),
  url: v.exactOptional(v.pipe(v.string(), v.description("The input that was being read."))),
});

export const errorNames = ["DiscoError", "JobError", "DataError", "CommError"] as const;

export const errorDetails = v.object({
  code: v.pipe(v.string(), v.description("Stable, for programs, e.g. `unknown-job`.")),
  message: v.string(),
  name: v.exactOptional(v.pipe(v.picklist(errorNames), v.description("Class of the error in Disco's library."))),
  hint: v.exactOptional(v.pipe(v.string(), v.description("What to do next."))),
  retry: v.exactOptional(retryPolicy),
  job: v.exactOptional(v.string()),
  task: v.exactOptional(v.string()),
  node: v.exactOptional(v.string()),
  url: v.exactOptional(v.string()),
  failure: v.exactOptional(taskFailure),
});

export const errorAnswer = v.object({ error: errorDetails });

export type ErrorDetails = v.InferOutput<typeof errorDetails>;
