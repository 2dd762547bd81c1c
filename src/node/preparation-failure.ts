/** What is reported of an attempt that could not begin. */
import type { TaskInput } from "../core/job/spec.ts";
import { DiscoError, type TaskFailure } from "../errors.ts";
import type { AttemptId, NodeReport } from "../protocol/messages.ts";
import { diskFullHint, isDiskFull } from "./disk.ts";
import { MissingOutput } from "./fetch/missing-output.ts";

export function preparationFailure(error: unknown, id: AttemptId, input: TaskInput): NodeReport {
  if (error instanceof MissingOutput && input.kind === "stage") {
    const { code, name, message, retry, hint } = error;
    const lost = { stage: input.stage, ...error.output };
    return {
      kind: "input-lost",
      ...id,
      lost,
      failure: { code, name, message, retry, ...(hint === undefined ? {} : { hint }) },
    };
  }
  const reason = lossReason(error);
  if (reason !== undefined) return { kind: "lost", ...id, reason };
  return { kind: "failed", ...id, failure: homeFailure(error, id.job) };
}

/** Whether the attempt has ended, and nothing else will be said of it. */
export function isEnd({ kind }: NodeReport): boolean {
  return kind === "done" || kind === "failed" || kind === "input-lost" || kind === "lost";
}

/** Why an attempt could not begin, where that says nothing against the task or the node; the master assigns it anew. */
function lossReason(error: unknown): string | undefined {
  if (!(error instanceof DiscoError)) return undefined;
  // An output that it reads was lost, or made again, after it was assigned.
  if (error.code === "no-manifest") return "its input changed before it could begin";
  return error.code === "bus-timeout" ? "the master did not answer in time" : undefined;
}

function homeFailure(error: unknown, job: string): TaskFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const full = isDiskFull(error);
  const code = full ? "disk-full" : error instanceof DiscoError ? error.code : "job-home";
  const hint = full ? diskFullHint : error instanceof DiscoError ? error.hint : undefined;
  return {
    code,
    name,
    message: `the files of ${job} could not be prepared on the node: ${message}`,
    retry: "elsewhere",
    ...(hint === undefined ? {} : { hint }),
  };
}
