import { DiscoError } from "../errors.ts";
import { own, ownFactory } from "../worker/own.ts";

/** What the built-in maps emit: the text, and a 1 to add up. */
export type Counted = readonly [text: string, one: number];
/** A map over lines of text. */
export type LineMap = (line: string, params?: unknown) => readonly Counted[];

/** Space, tab, line feed, vertical tab, form feed, carriage return. */
const whiteSpace = /[ \t-\r]+/;

/**
 * A map: emits `[word, 1]` for each word of a line. Words are what ASCII white space divides (spaces, tabs, line ends), with
 * all else that is in them: case and punctuation stay. To count them: `map: words(), combiner: sum, reduce: sum`.
 */
export function words(): LineMap {
  return own(
    "words",
    (line: string): Counted[] => {
      const found: Counted[] = [];
      for (const word of textOf(line, "words").split(whiteSpace)) if (word !== "") found.push([word, 1]);
      return found;
    },
    [],
  );
}
ownFactory(words, "words()");

/** A map: emits `[line, 1]` for each line, the empty ones too. */
export function lines(): LineMap {
  return own("lines", (line: string): Counted[] => [[textOf(line, "lines"), 1]], []);
}
ownFactory(lines, "lines()");

/**
 * A map: emits `[line, 1]` for each line in which `pattern` is found: a regular expression, or a text as it stands.
 *
 * The flag `g` makes no difference. @throws DiscoError `bad-option` for the flag `y`, which would search at the start of a line
 * only (write `^` instead), and for a pattern that is neither.
 */
export function grep(pattern: RegExp | string): LineMap {
  if (typeof pattern === "string") {
    const find = (line: string): Counted[] => (textOf(line, "grep").includes(pattern) ? [[line, 1]] : []);
    return own("grep", find, [pattern]);
  }
  if (!(pattern instanceof RegExp)) {
    throw new DiscoError("grep: a regular expression or a string was expected", { code: "bad-option" });
  }
  if (pattern.sticky) {
    throw new DiscoError(`grep: the flag y of ${String(pattern)} makes no sense for lines`, {
      code: "bad-option",
      hint: "Write ^ for a match at the start of a line.",
    });
  }
  // A copy: `g` would carry a position from line to line.
  const expression = new RegExp(pattern.source, pattern.flags.replace("g", ""));
  return own("grep", (line: string): Counted[] => (expression.test(textOf(line, "grep")) ? [[line, 1]] : []), [
    expression,
  ]);
}
ownFactory(grep, "grep(pattern)");

export interface FieldOptions {
  /** The text between two fields, at least one character. Default: any run of ASCII white space, as for `words()`. */
  readonly separator?: string;
}

/**
 * A map: emits `[text, 1]`, the text of field `n` of a line, counted from 0: `line.split(separator)[n]`. Lines that have no such
 * field emit nothing. Quotes mean nothing: for CSV, `mapReader: csvReader()`.
 *
 * @throws DiscoError `bad-option` unless `n` is a whole number from 0, and `separator` a string that is not empty;
 * `unknown-option` for any other option
 */
export function field(n: number, options: FieldOptions = {}): LineMap {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw new DiscoError(`field(${String(n)}): fields are numbered from 0`, { code: "bad-option" });
  }
  checkFieldOptions(n, options);
  const { separator } = options;
  if (separator !== undefined && (typeof separator !== "string" || separator === "")) {
    throw new DiscoError("field: separator has to be a string of at least one character", { code: "bad-option" });
  }
  const fieldOf = (line: string): string | undefined => {
    if (separator !== undefined) return textOf(line, "field").split(separator)[n];
    const parts = textOf(line, "field").split(whiteSpace);
    // Space before the first word makes an empty part before it, and space after the last one an empty one behind it.
    const found = parts[parts[0] === "" ? n + 1 : n];
    return found === "" ? undefined : found;
  };
  const map = (line: string): Counted[] => {
    const found = fieldOf(line);
    return found === undefined ? [] : [[found, 1]];
  };
  return own("field", map, separator === undefined ? [n] : [n, { separator }]);
}
ownFactory(field, "field(n)");

function checkFieldOptions(n: number, options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const separator = typeof options === "string" && options !== "" ? JSON.stringify(options) : '","';
    throw new DiscoError("field: what follows the number has to be an object of options", {
      code: "bad-option",
      hint: `Write field(${n}, { separator: ${separator} }).`,
    });
  }
  const unknown = Object.keys(options).find((name) => name !== "separator");
  if (unknown === undefined) return;
  throw new DiscoError(`field: unknown option ${unknown}; did you mean separator?`, {
    code: "unknown-option",
    hint: `Write field(${n}, { separator: "," }).`,
  });
}

function textOf(entry: unknown, name: string): string {
  if (typeof entry === "string") return entry;
  throw new DiscoError(
    `${name}: an entry of type ${entry === null ? "null" : typeof entry} came, a line was expected`,
    {
      code: "bad-entry",
      hint: "Use it behind a reader of text, such as mapLineReader.",
    },
  );
}
