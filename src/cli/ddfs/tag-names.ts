/**
 * Which tags are meant by the words of a command line: `tag://NAME` and `NAME` alike; a pattern ('data:*') means all tags that match; with
 * `--prefix-mode` every word means all tags that begin so, as in Disco.
 */
import type { DdfsApi } from "../../client/ddfs/ddfs-api.ts";
import { isName, tagOf } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { isPattern, patternOf } from "../commands/job-pattern.ts";

export interface TagChoice {
  readonly prefixMode?: boolean | undefined;
}

export interface ChosenTags {
  /** In the order in which they were named, none twice. */
  readonly names: readonly string[];
  /** A pattern or a prefix chose some of them. */
  readonly guessed: boolean;
}

/** @throws DiscoError `bad-name`, `unknown-tag` for a pattern that matches none */
export async function chosenTags(
  api: DdfsApi,
  words: readonly string[],
  { prefixMode = false }: TagChoice = {},
): Promise<ChosenTags> {
  const names = new Set<string>();
  let guessed = false;
  for (const word of words) {
    const isExact = !prefixMode && !isPattern(word);
    guessed ||= !isExact;
    for (const name of isExact ? [tagNameOf(word)] : await matchingTags(api, word, prefixMode)) names.add(name);
  }
  return { names: [...names], guessed };
}

async function matchingTags(api: DdfsApi, word: string, prefixMode: boolean): Promise<readonly string[]> {
  const found = prefixMode ? await api.tags(withoutScheme(word)) : await tagsLike(api, word);
  if (found.length > 0) return found;
  throw new DiscoError(prefixMode ? `no tag begins with ${word}` : `no tag's name matches ${word}`, {
    code: "unknown-tag",
    hint: "`ddfs ls` names all tags.",
  });
}

/** All tags that match a pattern; the master is asked for those that begin as it does. */
export async function tagsLike(api: DdfsApi, word: string): Promise<string[]> {
  const text = withoutScheme(word);
  const pattern = patternOf(text);
  const beginning = text.slice(0, text.search(/[*?[]/));
  return (await api.tags(beginning)).filter((name) => pattern.test(name));
}

/** @throws DiscoError `bad-name` */
export function tagNameOf(word: string): string {
  const name = tagOf(word) ?? word;
  if (isName(name)) return name;
  throw new DiscoError(`${JSON.stringify(word.slice(0, 100))} is not the name of a tag`, {
    code: "bad-name",
    hint: "Names have 1 to 511 letters, digits, and _ - @ :",
  });
}

function withoutScheme(word: string): string {
  return word.replace(/^tag:\/\/(?:[^/]*\/)?/, "");
}
