/** Patterns for names of jobs, as shells have them: `*` any characters, `?` one, `[abc]`, `[a-z]` and `[!a]` one of a set. */
import { DiscoError } from "../../errors.ts";

export function isPattern(word: string): boolean {
  return /[*?[]/.test(word);
}

/** @throws DiscoError `bad-argument` for a set that is not closed or is empty */
export function patternOf(word: string): RegExp {
  const source = word.replace(/\*|\?|\[(?:!?\]?[^\]]*\])?|[^*?[]+/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (!part.startsWith("[")) return literal(part);
    const set = /^\[(!?)(\]?[^\]]*)\]$/.exec(part);
    if (set?.[2] === undefined || set[2] === "") throw badPattern(word);
    return `[${set[1] === "!" ? "^" : ""}${set[2].replace(/[\\\]^[]/g, "\\$&")}]`;
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    // A range that goes backwards, as [z-a].
    throw badPattern(word);
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function badPattern(word: string): DiscoError {
  return new DiscoError(`${word} is not a pattern: a set [...] is not complete`, {
    code: "bad-argument",
    hint: "Patterns have * for any characters, ? for one, and sets as [abc] or [a-z].",
  });
}
