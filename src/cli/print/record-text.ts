/**
 * Records as text, one a line. `tsv`: key, tab, value; strings as they are, with tab, line feed, carriage return and
 * backslash written as \t, \n, \r and \\; other values as in JSON. `jsonl`: the JSON array `[key, value]`.
 *
 * What JSON lacks is written by its nearest relative: a BigInt as its digits, a Map as an array of pairs, a Set and a
 * typed array as an array, NaN and the infinities as `null`. For exact values read results with `resultIterator`.
 */
export const recordFormats = ["tsv", "jsonl"] as const;
export type RecordFormat = (typeof recordFormats)[number];

/** How results are written: as records, or the bytes of their files as they are, whoever wrote them. */
export const outputFormats = [...recordFormats, "raw"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export function recordText(key: unknown, value: unknown, format: RecordFormat): string {
  return format === "jsonl" ? `${jsonText([key, value])}\n` : `${field(key)}\t${field(value)}\n`;
}

const escapes: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

export function field(value: unknown): string {
  if (typeof value === "string") return value.replace(/[\t\n\r\\]/g, (character) => escapes[character] ?? character);
  if (typeof value === "number" || typeof value === "bigint") return Object.is(value, -0) ? "-0" : String(value);
  return value === undefined ? "" : jsonText(value);
}

/** A line of JSON, without its end. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return part.toString();
    if (part instanceof Map || part instanceof Set) return [...part];
    if (ArrayBuffer.isView(part) && !(part instanceof DataView)) return Array.from(part as Uint8Array);
    return part;
  });
}
