/**
 * Parameters of external programs: what a program reads before the first record. A string and bytes go as they are; a dictionary is a line
 * with the number of bytes that follow, then for each entry `<size> <key> <size> <value>` and a line feed, with sizes in bytes.
 */
import { badOption } from "./bad-option.ts";
import { anObject, type Check, shown } from "./option-checks.ts";

/** They lie in the job pack, and in the memory of each task. */
const extParamsBytesMax = 64 * 1024 * 1024;

/** What programs read that got no parameters. */
const none = "0\n";

/** For `extParams`. Throws `JobError` `bad-option` for a value that is no string. */
export const extParamsCheck: Check = (value) => {
  if (typeof value === "string" || value instanceof Uint8Array) {
    return sizeOf(value) <= extParamsBytesMax ? broken("", value) : tooLarge;
  }
  if (anObject(value) !== null || Object.getPrototypeOf(value) !== Object.prototype) {
    return "an object with strings as values, a string or a Uint8Array";
  }
  let bytes = 0;
  for (const [key, item] of Object.entries(value as object)) {
    if (typeof item !== "string") {
      throw badOption(
        `extParams: a string was expected as the value of ${JSON.stringify(key)}, not ${shown(item)}`,
        "Programs read text: write it as a string.",
      );
    }
    const reason = broken(` of ${JSON.stringify(key)}`, key) ?? broken(` of ${JSON.stringify(key)}`, item);
    if (reason !== null) return reason;
    bytes += sizeOf(key) + sizeOf(item);
  }
  return bytes <= extParamsBytesMax ? null : tooLarge;
};

const tooLarge = `at most ${extParamsBytesMax / 2 ** 20} MB of parameters`;

function sizeOf(value: string | Uint8Array): number {
  return typeof value === "string" ? Buffer.byteLength(value) : value.length;
}

function broken(where: string, value: string | Uint8Array): string | null {
  return typeof value !== "string" || value.isWellFormed()
    ? null
    : `well-formed text${where} (no half surrogate pairs)`;
}

/** The bytes of checked `extParams`. */
export function encodeExtParams(value: unknown): Uint8Array {
  if (value === undefined || value === "") return Buffer.from(none);
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value.length === 0 ? Buffer.from(none) : new Uint8Array(value);
  const entries = Object.entries(value as Readonly<Record<string, string>>);
  const body = entries.map(([key, item]) => `${sizeOf(key)} ${key} ${sizeOf(item)} ${item}\n`).join("");
  return Buffer.from(`${sizeOf(body)}\n${body}`);
}
