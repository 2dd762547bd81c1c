/** Commands on tags as a whole, and on what they link to. */
import type { Command } from "commander";
import { withExamples, withMaster } from "../../program/shared-options.ts";
import { oneTag, severalTags, withPrefixMode, withReach } from "./tag-options.ts";

const yes = ["-y, --yes", "ask nothing; needed where several are meant and nobody can be asked"] as const;
const addresses =
  "addresses of blobs, or tag://NAME; several with spaces between them, in quotes, are replicas of one; none, or `-`: " +
  "lines of standard input";

export function addTagCommands(program: Command): void {
  addLookingCommands(program);
  addLinkCommands(program);
  addWholeTagCommands(program);
}

function addLookingCommands(program: Command): void {
  const ls = program
    .command("ls")
    .summary("list tags")
    .description("Lists the tags that begin with one of the words or match one of the patterns, or all.")
    .argument("[tags...]", "beginnings of names, or patterns such as 'data:*'")
    .option("-l, --long", "with the time of the last change, blobs, links to tags, attributes")
    .option("-r, --recursive", "with the blobs that each leads to");
  withExamples(withMaster(ls), "ddfs ls", "ddfs ls -l data:", "ddfs ls 'data:*:2026'").action(
    async (tags: string[], options) => (await import("../tags.ts")).listTags(tags, options),
  );

  const find = program
    .command("find")
    .summary("walk tags and the tags that they link to")
    .description("Prints the way to each tag that can be reached, with tabs between its tags; none is visited twice.")
    .argument("[tags...]", `${severalTags}; none: all`)
    .option("-w, --warn-missing", "print links to tags that are not there; exit status 1 where there are some");
  withExamples(withMaster(withReach(find)), "ddfs find data", "ddfs find -wp data:").action(
    async (tags: string[], options) => {
      process.exitCode = await (await import("../blobs.ts")).findTags(tags, options);
    },
  );

  const stat = program
    .command("stat")
    .summary("print when tags were changed, and what is in them")
    .description(
      "Prints of each tag when it was changed, its version, and the number of its blobs, links and attributes.",
    )
    .argument("<tags...>", severalTags);
  withExamples(withMaster(withPrefixMode(stat)), "ddfs stat data").action(async (tags: string[], options) =>
    (await import("../tags.ts")).printStat(tags, options),
  );

  const exists = program
    .command("exists")
    .summary("say whether there is a tag")
    .description("Prints true or false. Exit status 0: there is such a tag, 1: there is none.")
    .argument("<tag>", oneTag);
  withExamples(withMaster(exists), "ddfs exists data || ddfs push data *.txt").action(async (tag: string, options) => {
    process.exitCode = await (await import("../tags.ts")).tagExists(tag, options);
  });

  const urls = program
    .command("urls")
    .summary("print what tags link to")
    .description("Prints a line a link: the addresses of a blob's replicas, with tabs between them, or tag://NAME.")
    .argument("<tags...>", severalTags);
  withExamples(withMaster(withPrefixMode(urls)), "ddfs urls data").action(async (tags: string[], options) =>
    (await import("../links.ts")).printUrls(tags, options),
  );

  const get = program
    .command("get")
    .summary("print a tag as JSON")
    .description("Prints a tag as the master has it, as JSON: id, last-modified, urls, user-data.")
    .argument("<tag>", oneTag);
  withExamples(withMaster(get), "ddfs get data | jq '.urls | length'").action(async (tag: string, options) =>
    (await import("../links.ts")).printTag(tag, options),
  );
}

function addLinkCommands(program: Command): void {
  const tag = program
    .command("tag")
    .summary("add links to a tag")
    .description("Adds links to a tag, before those that it has; a tag that does not exist is made.")
    .argument("<tag>", oneTag)
    .argument("[urls...]", addresses)
    .option("-u, --update", "leave out blobs whose name the tag has already")
    .option("-d, --delayed", "wait up to a second for others that change the tag, and be recorded with them");
  withExamples(withMaster(tag), "ddfs tag all tag://books tag://letters", "ddfs urls books | ddfs tag all").action(
    async (name: string, urls: string[], options) => (await import("../links.ts")).addLinks(name, urls, options),
  );

  const untag = program
    .command("untag")
    .summary("take links out of a tag")
    .description(
      "Takes links out of a tag. Blobs that no tag links to any more are deleted by garbage collection, after its grace period.",
    )
    .argument("<tag>", oneTag)
    .argument("<links...>", "addresses, tag://NAME, or names of blobs, also as patterns")
    .option(...yes);
  withExamples(withMaster(untag), "ddfs untag all tag://letters", "ddfs untag data '2024-*' --yes").action(
    async (name: string, links: string[], options) => (await import("../links.ts")).removeLinks(name, links, options),
  );

  const put = program
    .command("put")
    .summary("replace the links of a tag")
    .description("Replaces the links of a tag; a tag that does not exist is made. Its attributes stay.")
    .argument("<tag>", oneTag)
    .argument("[urls...]", addresses);
  withExamples(withMaster(put), "ddfs put newest tag://data:2026", "ddfs urls data | ddfs put copy -").action(
    async (name: string, urls: string[], options) => (await import("../links.ts")).replaceLinks(name, urls, options),
  );

  const touch = program
    .command("touch")
    .summary("make empty tags")
    .description("Makes tags without links. Those that exist stay as they are.")
    .argument("<tags...>", "names of tags");
  withExamples(withMaster(touch), "ddfs touch data").action(async (tags: string[], options) =>
    (await import("../links.ts")).touchTags(tags, options),
  );
}

function addWholeTagCommands(program: Command): void {
  const cp = program
    .command("cp")
    .summary("copy a tag")
    .description("Gives a tag the links of another one; what it had is replaced. Blobs are not copied.")
    .argument("<source>", oneTag)
    .argument("<target>", oneTag)
    .option("-a, --attributes", "attributes, too")
    .option("-n, --no-clobber", "refuse a target that exists");
  withExamples(withMaster(cp), "ddfs cp data data:before").action(async (source: string, target: string, options) =>
    (await import("../copies.ts")).copyTag(source, target, options),
  );

  const mv = program
    .command("mv")
    .summary("rename a tag")
    .description(
      "Gives a tag another name, with its links, attributes and tokens; a tag that has that name is replaced. Tags that link to " +
        "the old name link to nothing then.",
    )
    .argument("<source>", oneTag)
    .argument("<target>", oneTag)
    .option("-n, --no-clobber", "refuse a target that exists");
  withExamples(withMaster(mv), "ddfs mv data data:2026").action(async (source: string, target: string, options) =>
    (await import("../copies.ts")).moveTag(source, target, options),
  );

  const rm = program
    .command("rm")
    .summary("delete tags")
    .description(
      "Deletes tags. Blobs that no tag links to any more are deleted by garbage collection, after its grace period.",
    )
    .argument("<tags...>", severalTags)
    .option(...yes)
    .option("-f, --force", "ask nothing, and take tags that are not there for deleted");
  withExamples(withMaster(withPrefixMode(rm)), "ddfs rm data", "ddfs rm 'test:*' --yes").action(
    async (tags: string[], options) => (await import("../tags.ts")).removeTags(tags, options),
  );
}
