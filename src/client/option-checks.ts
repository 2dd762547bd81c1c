/** What the value of one option may be. A check returns what was expected, or `null` when the value is fine. */

export type Check = (value: unknown) => string | null;

export const functionCheck: Check = (value) =>
  typeof value !== "function"
    ? "a function"
    : /^class\b/.test(Function.prototype.toString.call(value))
      ? "a function that can be called without new"
      : null;

export const functionList: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((item) => functionCheck(item) === null)
    ? null
    : "a list of at least one function";

export const flag: Check = (value) => (typeof value === "boolean" ? null : "true or false");

export function integer(min: number, max: number): Check {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? null
      : `an integer from ${min.toLocaleString("en-US")} to ${max.toLocaleString("en-US")}`;
}

export function positive(what: string): Check {
  return (value) => (typeof value === "number" && value > 0 && Number.isFinite(value) ? null : what);
}

export function orNull(check: Check): Check {
  return (value) => {
    const expected = value === null ? null : check(value);
    return expected === null ? null : `${expected}, or null,`;
  };
}

export function oneOf(...values: readonly unknown[]): Check {
  const last = values.length - 1;
  const shown = values.map((value) => JSON.stringify(value));
  return (value) => (values.includes(value) ? null : `${shown.slice(0, last).join(", ")} or ${shown[last]}`);
}

export const anObject: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? null : "an object";

export const stringList: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "") ? null : "a list of strings";

export const stringRecord: Check = (value) =>
  anObject(value) === null && Object.values(value as object).every((item) => typeof item === "string")
    ? null
    : "an object with strings as values";

/** Of `requiredFiles`: names without a folder, as all files lie flat in one directory. */
export const fileContents: Check = (value) => {
  if (Array.isArray(value)) return stringList(value) && "a list of paths";
  if (anObject(value) !== null) return "a list of paths, or an object { fileName: contents }";
  for (const [name, contents] of Object.entries(value as object)) {
    if (!isFileName(name)) return `file names without folders (${JSON.stringify(name)} is none)`;
    if (typeof contents !== "string" && !(contents instanceof Uint8Array)) {
      return `a string or a Uint8Array as contents of ${JSON.stringify(name)}`;
    }
  }
  return null;
};

export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name) && name.length <= 255;
}

/** A value in an error message: short, and telling `"4"` from `4`. */
export function shown(value: unknown): string {
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list (of ${shown(value[0])} …)`;
  if (value instanceof Promise) return "a promise (is an await missing?)";
  if (typeof value === "object" && value !== null) {
    const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    return typeof name !== "string" || name === "" || name === "Object" ? "an object" : `an object of class ${name}`;
  }
  return String(value);
}
