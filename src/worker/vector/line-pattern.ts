/**
 * A regular expression for one line, made into one for many lines: a search over a whole block is several times faster than a call for
 * each line.
 *
 * What it finds is a place in a line that may match; whoever uses it asks the expression itself about that line. So it may find too
 * much, and must not find too little: where the expression matches in a line by itself, the other one must match from the same place in
 * the whole text. That is so because
 *
 *   - nothing in it takes a line feed (`[^x]` is made `[^\nx]`; what cannot be made so ends the attempt), so that a match stays
 *     in its line, and a search costs no more than by line;
 *   - `^` and `$` hold wherever a line begins or ends, by the flag `m`; `\b` and `\B` see a line feed where the line itself has
 *     nothing, which is the same to them;
 *   - there is nothing in it that more text could make false: no `(?!…)`, no `(?<!…)`, no `(?-m:…)`.
 */

/** With the flags `g` and `m`; `null`: search line by line. */
export function linePattern(expression: RegExp): RegExp | null {
  const { source, flags } = expression;
  if (/[sv]/.test(flags)) return null;
  const rewritten = rewrite(source, flags.replace("g", ""));
  return rewritten === null ? null : new RegExp(rewritten, `${flags.replace(/[gm]/g, "")}gm`);
}

/** Escapes outside of classes that may be a line feed, or refer to something. */
const unclear = /[0-9nckxupP]/;
/** Classes that hold the line feed, without it. */
const narrowed: Readonly<Record<string, string>> = { D: "[^\\d\\n]", W: "[^\\w\\n]", s: "[^\\S\\n]" };

function rewrite(source: string, flags: string): string | null {
  let out = "";
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string;
    if (char === "\\") {
      const escaped = source[++at] as string;
      const narrow = Object.hasOwn(narrowed, escaped) ? narrowed[escaped] : undefined;
      // `\W` and `[^\w]` differ where case is ignored in Unicode.
      if (unclear.test(escaped) || (narrow !== undefined && flags.includes("u"))) return null;
      out += narrow ?? `\\${escaped}`;
    } else if (char === "[") {
      const end = classEnd(source, at);
      const text = source.slice(at, end);
      // A hyphen in front is itself: behind the line feed it would make a range.
      if (text.startsWith("[^")) out += `[^\\n${text.slice(2).replace(/^-/, "\\-")}`;
      else if (new RegExp(text, flags).test("\n")) return null;
      else out += text;
      at = end - 1;
    } else if (char === "(" && source[at + 1] === "?" && !/^\(\?(?::|=|<=|<[^!=])/.test(source.slice(at, at + 4))) {
      return null;
    } else {
      out += char;
    }
  }
  return out;
}

/** Behind the `]` of the class that begins at `start`. */
function classEnd(source: string, start: number): number {
  let at = start + 1;
  while (source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}
