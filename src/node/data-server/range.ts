/**
 * `Range` (RFC 9110, 14): one range of bytes. Several, other units and what is malformed are ignored, as the RFC allows: the
 * answer is the whole file.
 *
 * A range that begins past the end is 416, where Disco sends the whole file as 200: its Python client takes what comes for the bytes
 * at the offset that it asked for, which would be wrong data. It asks so of itself for empty files alone, and gets 200 there.
 */

const headerCharsMax = 64;

export type RangeAnswer =
  | { readonly kind: "whole" }
  /** Bytes from `from` up to, not including, `to`. */
  | { readonly kind: "part"; readonly from: number; readonly to: number }
  /** The file has no such bytes. */
  | { readonly kind: "outside" };

const whole: RangeAnswer = { kind: "whole" };

export function parseRange(header: string | undefined, size: number): RangeAnswer {
  if (header === undefined || header.length > headerCharsMax || size === 0) return whole;
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header);
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return whole;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: "outside" } : { kind: "part", from: size - length, to: size };
  }
  const from = Number(first);
  const to = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < from) return whole;
  return from >= size ? { kind: "outside" } : { kind: "part", from, to };
}
