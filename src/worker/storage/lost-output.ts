/** The error of an earlier stage's output that is gone, short or damaged. */
import type { OutputRef } from "../../core/job/spec.ts";
import { DataError } from "../../errors.ts";
import type { FetchedPlace } from "../../protocol/manifest-file.ts";

/** One entry of a `StageManifest`. */
export interface TaskOutputRef {
  readonly task: number;
  readonly ref: OutputRef;
  /** Where this node has a copy of it; absent: where `ref` says. */
  readonly place?: FetchedPlace;
}

/** An output of an earlier stage can not be read. The worker reports `input-lost` with it. */
export class LostOutput extends DataError {
  override name = "LostOutput";
  /** Which task of the earlier stage, and where its output was. */
  readonly origin: TaskOutputRef;

  constructor(origin: TaskOutputRef, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`output of task ${origin.task} in ${origin.ref.file} on ${origin.ref.host} cannot be read: ${reason}`, {
      code: "input-lost",
      retry: "here",
      node: origin.ref.host,
      cause,
    });
    this.origin = origin;
  }
}
