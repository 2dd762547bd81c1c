/** Commands on the attributes and tokens of tags. */
import type { Command } from "commander";
import { withExamples, withMaster } from "../../program/shared-options.ts";
import { oneTag } from "./tag-options.ts";

const attribute = "its name; ddfs:urls, ddfs:read-token and ddfs:write-token are the tag's own";

export function addAttributeCommands(program: Command): void {
  const attrs = program
    .command("attrs")
    .summary("print the attributes of a tag")
    .description("Prints the attributes of a tag, one a line: name, tab, value.")
    .argument("<tag>", oneTag);
  withExamples(withMaster(attrs), "ddfs attrs data").action(async (tag: string, options) =>
    (await import("../attributes.ts")).printAttributes(tag, options),
  );

  const getattr = program
    .command("getattr")
    .summary("print one attribute of a tag")
    .description("Prints the value of an attribute: text as it is, all else as JSON.")
    .argument("<tag>", oneTag)
    .argument("<attribute>", attribute);
  withExamples(withMaster(getattr), "ddfs getattr data owner").action(async (tag: string, name: string, options) =>
    (await import("../attributes.ts")).printAttribute(tag, name, options),
  );

  const setattr = program
    .command("setattr")
    .summary("set an attribute of a tag")
    .description("Sets an attribute of a tag to a text.")
    .argument("<tag>", oneTag)
    .argument("<attribute>", attribute)
    .argument("<value>", "the text")
    .option("--parse", "the value is JSON");
  withExamples(withMaster(setattr), "ddfs setattr data owner ann", "ddfs setattr data days '[1, 2]' --parse").action(
    async (tag: string, name: string, value: string, options) =>
      (await import("../attributes.ts")).setAttribute(tag, name, value, options),
  );

  const delattr = program
    .command("delattr")
    .summary("delete an attribute of a tag")
    .description("Deletes an attribute of a tag.")
    .argument("<tag>", oneTag)
    .argument("<attribute>", attribute);
  withExamples(withMaster(delattr), "ddfs delattr data owner").action(async (tag: string, name: string, options) =>
    (await import("../attributes.ts")).deleteAttribute(tag, name, options),
  );

  const chtok = program
    .command("chtok")
    .summary("change the tokens of a tag")
    .description(
      "Sets the token without which a tag cannot be read, the one without which it cannot be changed, or, by default, both.",
    )
    .argument("<tag>", oneTag)
    .argument("[token]", "the new token; `-`: a line of standard input, which no list of processes shows")
    .option("-r, --read", "the token for reading")
    .option("-w, --write", "the token for changes")
    .option("--remove", "none is needed any more");
  withExamples(withMaster(chtok), "ddfs chtok data - < token-file", "ddfs chtok -r data --remove").action(
    async (tag: string, token: string | undefined, options) =>
      (await import("../attributes.ts")).changeTokens(tag, token, options),
  );
}
