/** The error of another node's output that cannot be had. */
import type { OutputRef } from "../../core/job/spec.ts";
import { DataError, DiscoError } from "../../errors.ts";

export interface WantedOutput {
  readonly task: number;
  readonly ref: OutputRef;
}

const unreachableHint =
  "If that node runs: it has to be started with --advertise http://host:port (DISCO_ADVERTISE), an address that other nodes reach.";

/** The node reports `input-lost` with it: the master has that task run again. */
export class MissingOutput extends DataError {
  override name = "MissingOutput";
  readonly output: WantedOutput;

  constructor({ task, ref }: WantedOutput, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`output of task ${task} in ${ref.file} cannot be had from node ${ref.host}: ${reason}`, {
      code: "input-lost",
      retry: "here",
      node: ref.host,
      cause,
      ...(isUnreachable(cause) ? { hint: unreachableHint } : {}),
    });
    this.output = { task, ref };
  }
}

function isUnreachable(cause: unknown): boolean {
  return cause instanceof DiscoError && cause.code === "peer-unreachable";
}
