/**
 * Whether what came out of a worker process is a message. Users' code runs in there and may send what it likes: nothing that the
 * core would stumble over may get past the node, as the core's error would end every job.
 */
import type { FromWorker } from "../protocol/messages.ts";

type Check = (value: unknown) => boolean;

/** `foreign`: none of ours, to be ignored. `malformed`: one of ours that is not as it should be. */
export function sortMessage(message: unknown): "good" | "foreign" | "malformed" {
  const kind = (message as { kind?: unknown } | null)?.kind;
  const check =
    typeof kind === "string" && Object.hasOwn(checks, kind) ? checks[kind as FromWorker["kind"]] : undefined;
  if (check === undefined) return "foreign";
  return check(message) ? "good" : "malformed";
}

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number" && value >= 0;
const isTime: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const isWhole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** An object with these properties. */
function shape(properties: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(properties);
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    entries.every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

function maybe(check: Check): Check {
  return (value) => value === undefined || check(value);
}

const attempt = { job: isText, stage: isWhole, task: isWhole, attempt: isWhole };
const ref = shape({ host: isText, file: isText, at: isWhole, length: isWhole, digest: isText });
const output = shape({
  ref,
  labels: list(shape({ label: isWhole, bytes: isNumber, records: isNumber })),
  index: maybe(isText),
  oob: maybe(list(shape({ key: isText, file: isText, size: isNumber }))),
  recordsIn: isNumber,
  recordsOut: isNumber,
  bytesIn: isNumber,
  peakRss: isNumber,
});
const policies: ReadonlySet<unknown> = new Set(["here", "elsewhere", "never"]);
const levels: ReadonlySet<unknown> = new Set(["debug", "info", "message", "warning", "error"]);
const location = shape({ file: isText, line: isNumber, column: isNumber });
const failure = shape({
  code: isText,
  name: isText,
  message: isText,
  retry: (value) => policies.has(value),
  stack: maybe(isText),
  location: maybe(location),
  frame: maybe(isText),
  hint: maybe(isText),
  url: maybe(isText),
});

const checks: Readonly<Record<FromWorker["kind"], Check>> = {
  ready: () => true,
  started: shape(attempt),
  progress: shape({ ...attempt, progress: shape({ recordsIn: isNumber, bytesIn: isNumber, recordsOut: isNumber }) }),
  message: shape({ ...attempt, level: (value) => levels.has(value), text: isText }),
  done: shape({ ...attempt, output, ranMs: maybe(isTime) }),
  failed: shape({ ...attempt, failure, lost: maybe(shape({ stage: isWhole, task: isWhole, ref })) }),
};
