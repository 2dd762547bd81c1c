/** What many commands of `ddfs` take. */
import type { Command } from "commander";

export const oneTag = "the tag: NAME or tag://NAME";
export const severalTags = "tags: names, tag://NAME, or patterns such as 'data:*'";

/** As in Disco. */
export function withPrefixMode(command: Command): Command {
  return command.option("-p, --prefix-mode", "the words are beginnings of names");
}

export function withReach(command: Command): Command {
  return withPrefixMode(command).option("-i, --ignore-missing", "pass over links to tags that are not there");
}
