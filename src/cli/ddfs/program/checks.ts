/** Commands that look at space, collect garbage, and look for damage. */
import { type Command, InvalidArgumentError } from "commander";
import { withExamples, withMaster } from "../../program/shared-options.ts";
import { severalTags, withReach } from "./tag-options.ts";

export function addCheckCommands(program: Command): void {
  const df = program
    .command("df")
    .summary("print how much room volumes have")
    .description(
      "Prints the volumes of all nodes, or of those that hold the blobs of tags: their size, what is used, what is free.",
    )
    .argument("[tags...]", severalTags);
  withExamples(withMaster(withReach(df)), "ddfs df", "ddfs df data").action(async (tags: string[], options) =>
    (await import("../space.ts")).printSpace(tags, options),
  );

  const du = program
    .command("du")
    .summary("print how much the blobs of tags take")
    .description("Prints the size of the blobs that each tag leads to, and what all their replicas take together.")
    .argument("[tags...]", `${severalTags}; none: all`);
  withExamples(withMaster(withReach(du)), "ddfs du data", "ddfs du -p data:").action(async (tags: string[], options) =>
    (await import("../usage.ts")).printUsage(tags, options),
  );

  addGc(program);
  addScrub(program);

  const fsck = program
    .command("fsck")
    .summary("compare tags with what nodes have")
    .description(
      "Compares tags with what nodes have, and changes nothing: blobs without a sound replica, with too few, links to tags that " +
        "are not there. Exit status 1 where something is wrong; blobs that no tag links to are only garbage.",
    );
  withExamples(withMaster(fsck), "ddfs fsck").action(async (options) => {
    process.exitCode = await (await import("../collection.ts")).check(options);
  });
}

function addGc(program: Command): void {
  const gc = program
    .command("gc")
    .summary("collect garbage: start, status, stats; empty nodes: blacklist, whitelist")
    .description("Garbage collection deletes blobs that no tag leads to, and makes replicas where there are too few.");
  const start = gc
    .command("start")
    .summary("start garbage collection")
    .description("Starts garbage collection at the master, unless it runs already.")
    .option("-w, --wait", "until it has ended, and print what it has done");
  withExamples(withMaster(start), "ddfs gc start --wait").action(async (options) =>
    (await import("../collection.ts")).startGc(options),
  );
  const status = gc
    .command("status")
    .summary("print what garbage collection does now")
    .description("Prints the phase of garbage collection, how far it is, and what it waits for.");
  withExamples(withMaster(status), "ddfs gc status").action(async (options) =>
    (await import("../collection.ts")).printGcStatus(options),
  );
  const stats = gc
    .command("stats")
    .summary("print what the last garbage collection has done")
    .description("Prints what the last garbage collection that ended kept, deleted, copied and missed.");
  withExamples(withMaster(stats), "ddfs gc stats").action(async (options) =>
    (await import("../collection.ts")).printGcStats(options),
  );
  const blacklist = gc
    .command("blacklist")
    .summary("have nodes emptied for their removal, or list them")
    .description(
      "Nodes on this list get no new blobs, and garbage collection copies to others what only they have, until they can be taken " +
        "away. Without names: prints the list, and which may go now.",
    )
    .argument("[nodes...]", "names of nodes")
    .option("--force", "also nodes that are not known (any more)");
  withExamples(withMaster(blacklist), "ddfs gc blacklist node3", "ddfs gc blacklist").action(
    async (nodes: string[], options) => (await import("../gc-blacklist.ts")).changeGcList("blacklist", nodes, options),
  );
  const whitelist = gc
    .command("whitelist")
    .summary("give nodes new blobs again")
    .description("Takes nodes off the list of those that are emptied for their removal.")
    .argument("<nodes...>", "names of nodes")
    .option("--force", "also nodes that are not known (any more)");
  withExamples(withMaster(whitelist), "ddfs gc whitelist node3").action(async (nodes: string[], options) =>
    (await import("../gc-blacklist.ts")).changeGcList("whitelist", nodes, options),
  );
  withExamples(gc, "ddfs gc start --wait", "ddfs gc status", "ddfs gc blacklist node3");
}

function addScrub(program: Command): void {
  const scrub = program
    .command("scrub")
    .summary("read all blobs and compare their sums: start, status")
    .description(
      "Scrubbing reads all blobs on all nodes and compares them with their sums; damaged ones are mended from other replicas.",
    );
  const start = scrub
    .command("start")
    .summary("start scrubbing")
    .description("Starts a round of scrubbing on all nodes.")
    .option("-w, --wait", "until it has ended; exit status 1 where damage was found")
    .option("--rate <n>", "megabytes a second that each node may read", parseRate);
  withExamples(withMaster(start), "ddfs scrub start --wait", "ddfs scrub start --rate 20").action(async (options) => {
    process.exitCode = await (await import("../collection.ts")).startScrub(options);
  });
  const status = scrub
    .command("status")
    .summary("print how far scrubbing is")
    .description("Prints of each node how much the present or last round has read, and what was damaged.");
  withExamples(withMaster(status), "ddfs scrub status").action(async (options) =>
    (await import("../collection.ts")).printScrubStatus(options),
  );
  withExamples(scrub, "ddfs scrub start --wait", "ddfs scrub status");
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (text.trim() !== "" && rate > 0 && Number.isFinite(rate)) return rate;
  throw new InvalidArgumentError("a number above 0 was expected.");
}
