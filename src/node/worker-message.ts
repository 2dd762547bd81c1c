/**
 * Whether what came out of a worker process is a message. Users' code runs in there and may send what it likes: nothing that the
 * core would stumble over may get past the node, as the core's error would end every job.
 */
import {
  attempt,
  type Check,
  failure,
  isLevel,
  isText,
  isTime,
  lostOutput,
  maybe,
  output,
  progress,
  shape,
} from "../protocol/message-shapes.ts";
import type { FromWorker } from "../protocol/messages.ts";

/** `foreign`: none of ours, to be ignored. `malformed`: one of ours that is not as it should be. */
export function sortMessage(message: unknown): "good" | "foreign" | "malformed" {
  const kind = (message as { kind?: unknown } | null)?.kind;
  const check =
    typeof kind === "string" && Object.hasOwn(checks, kind) ? checks[kind as FromWorker["kind"]] : undefined;
  if (check === undefined) return "foreign";
  return check(message) ? "good" : "malformed";
}

const checks: Readonly<Record<FromWorker["kind"], Check>> = {
  ready: () => true,
  started: shape(attempt),
  progress: shape({ ...attempt, progress }),
  damaged: shape({ url: isText }),
  message: shape({ ...attempt, level: isLevel, text: isText }),
  done: shape({ ...attempt, output, ranMs: maybe(isTime) }),
  failed: shape({ ...attempt, failure, lost: maybe(lostOutput) }),
};
