/** What is expected of messages that others have made: parts of those that several kinds have. */

export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === "string";
export const isNumber: Check = (value) => typeof value === "number" && value >= 0;
export const isTime: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
export const isWhole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** An object with these properties. */
export function shape(properties: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(properties);
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    entries.every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

export function maybe(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export const attempt = { job: isText, stage: isWhole, task: isWhole, attempt: isWhole };
export const ref = shape({ host: isText, file: isText, at: isWhole, length: isWhole, digest: isText });
export const output = shape({
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
export const isLevel: Check = (value) => levels.has(value);
export const progress = shape({ recordsIn: isNumber, bytesIn: isNumber, recordsOut: isNumber });
export const lostOutput = shape({ stage: isWhole, task: isWhole, ref });
export const failure = shape({
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
