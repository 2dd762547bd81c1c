/** Commands that look at nodes and say which of them get tasks. */
import type { Command } from "commander";
import { withExamples, withMaster } from "./shared-options.ts";

export function addNodeCommands(program: Command): void {
  const nodes = program
    .command("nodes")
    .summary("list nodes: slots, tasks, disk")
    .description(
      "Lists the nodes of a master: their slots, what runs, how many tasks went well or failed, and disk space.",
    );
  withMaster(nodes);
  const set = nodes
    .command("set")
    .summary("change how many tasks nodes run at once")
    .description(
      "Changes rows of the master's configuration table: how many tasks a node runs at once. Rows that are not named stay. " +
        "Prints the table.",
    )
    .argument("<rows...>", "NODE=SLOTS");
  withExamples(withMaster(set), "disco nodes set localhost=4").action(async (rows: string[], _, command: Command) =>
    (await import("../commands/nodes.ts")).setSlots(rows, command.optsWithGlobals()),
  );
  withExamples(nodes, "disco nodes", "disco nodes set localhost=4").action(async (options) =>
    (await import("../commands/nodes.ts")).listNodes(options),
  );

  const blacklist = program
    .command("blacklist")
    .summary("give nodes no more tasks, or list those that get none")
    .description("Nodes on the blacklist get no more tasks; what runs there finishes. Without names: prints the list.");
  addList(blacklist, "blacklist");
  withExamples(withMaster(blacklist), "disco blacklist node3", "disco blacklist");

  const whitelist = program
    .command("whitelist")
    .summary("give nodes tasks again, or list those that get some")
    .description("Takes nodes off the blacklist. Without names: prints the nodes that get tasks.");
  addList(whitelist, "whitelist");
  withExamples(withMaster(whitelist), "disco whitelist node3", "disco whitelist");
}

function addList(command: Command, list: "blacklist" | "whitelist"): void {
  command
    .argument("[nodes...]", "names of nodes")
    .option("--force", "also nodes that are not known (yet)")
    .action(async (names: string[], options) =>
      (await import("../commands/nodes.ts")).changeList(list, names, options),
    );
}
