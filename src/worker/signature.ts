/**
 * The parameters that a function declares. Some of the seed's functions come in two signatures, and `fn.length` alone does not
 * tell them apart: parameters with defaults and rest parameters do not count in it.
 */

/** Source texts of the parameters, in order; of a function whose source cannot be read as many blanks as its length. */
export function parameters(fn: (...args: never[]) => unknown): readonly string[] {
  const source = Function.prototype.toString.call(fn);
  const found = /\[native code\]\s*\}\s*$/.test(source) ? null : readParameters(source);
  return found ?? new Array<string>(fn.length).fill("");
}

function readParameters(source: string): string[] | null {
  const arrow = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (arrow !== null) return [arrow[1] as string];
  const open = source.indexOf("(");
  if (open === -1) return null;
  const found: string[] = [];
  let depth = 0;
  let text = "";
  for (let i = open; i < source.length; i++) {
    const skipped = skip(source, i);
    if (skipped > i) {
      text += source[i] === "/" ? " " : source.slice(i, skipped);
      i = skipped - 1;
      continue;
    }
    const char = source[i] as string;
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    if (depth === 0 || (depth === 1 && char === ",")) {
      if (text.trim() !== "") found.push(text.trim());
      text = "";
      if (depth === 0) return found;
    } else if (i > open) {
      text += char;
    }
  }
  return null;
}

/** Where a comment or string that begins at `at` ends; `at` when none begins there. */
function skip(source: string, at: number): number {
  const char = source[at];
  if (char === "/" && source[at + 1] === "*") return endOf(source, source.indexOf("*/", at + 2), 2);
  if (char === "/" && source[at + 1] === "/") return endOf(source, source.indexOf("\n", at), 1);
  if (char !== '"' && char !== "'" && char !== "`") return at;
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === char) return i + 1;
  }
  return source.length;
}

function endOf(source: string, found: number, length: number): number {
  return found === -1 ? source.length : found + length;
}
