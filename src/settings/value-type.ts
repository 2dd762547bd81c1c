/**
 * What a setting may be. A type reads both what people type (text: flags, environment) and what TOML knows (numbers, lists,
 * tables), so that a setting has one meaning wherever it stands.
 */
import { homedir } from "node:os";
import { resolve } from "node:path";

export interface ValueType<T> {
  /** What is allowed, as it follows "expected": `a whole number from 0 to 65535`. */
  readonly expects: string;
  /** `null`: not allowed. Relative paths are seen from `base`, an absolute path. */
  read(raw: unknown, base: string): { readonly value: T } | null;
  /** For people, in tables. */
  show(value: T): string;
}

export function wholeNumber(min: number, max: number, remark = ""): ValueType<number> {
  return {
    expects: `a whole number from ${min} to ${max}${remark}`,
    read: (raw) => {
      const value = numberOf(raw);
      return value !== null && Number.isSafeInteger(value) && value >= min && value <= max ? { value } : null;
    },
    show: String,
  };
}

/** Above `above`, at most `max`. */
export function fraction(above: number, max: number): ValueType<number> {
  return {
    expects: `a number above ${above}, at most ${max}`,
    read: (raw) => {
      const value = numberOf(raw);
      return value !== null && value > above && value <= max ? { value } : null;
    },
    show: String,
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): ValueType<T> {
  return {
    expects: `one of ${values.join(", ")}`,
    read: (raw) => {
      const value = values.find((known) => known === raw);
      return value === undefined ? null : { value };
    },
    show: String,
  };
}

/** One line of text that is not empty. */
export function text(expects: string, pattern = /^[^\p{Cc}]+$/u): ValueType<string> {
  return {
    expects,
    read: (raw) => (typeof raw === "string" && pattern.test(raw) ? { value: raw } : null),
    show: String,
  };
}

/** An absolute path; `~/` is the user's own directory. */
export const path: ValueType<string> = {
  expects: "a path",
  read: (raw, base) => {
    if (typeof raw !== "string" || raw === "" || raw.includes("\0")) return null;
    return {
      value: resolve(
        base,
        raw.replace(/^~(?=\/|$)/, () => homedir()),
      ),
    };
  },
  show: String,
};

/** Absolute paths; text has commas between them. */
export const paths: ValueType<readonly string[]> = {
  expects: "paths, separated by commas",
  read: (raw, base) => {
    const parts = typeof raw === "string" ? raw.split(",").map((part) => part.trim()) : raw;
    if (!Array.isArray(parts) || parts.length === 0) return null;
    const read = parts.map((part) => path.read(part, base));
    const good = read.filter((one) => one !== null).map(({ value }) => value);
    return good.length === read.length ? { value: good } : null;
  },
  show: (values) => (values.length === 0 ? "none" : values.join(",")),
};

export const yesOrNo: ValueType<boolean> = {
  expects: "1 or 0",
  read: (raw) => {
    if (raw === true || raw === 1 || raw === "1" || raw === "true") return { value: true };
    if (raw === false || raw === 0 || raw === "0" || raw === "false") return { value: false };
    return null;
  },
  show: (value) => (value ? "1" : "0"),
};

/** The same, or nothing. */
export function optional<T>(type: ValueType<T>, nothing: string): ValueType<T | null> {
  return {
    expects: type.expects,
    read: (raw, base) => type.read(raw, base),
    show: (value) => (value === null ? nothing : type.show(value)),
  };
}

export function numberOf(raw: unknown): number | null {
  if (typeof raw === "number") return raw;
  return typeof raw === "string" && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(raw.trim())
    ? Number(raw)
    : null;
}
