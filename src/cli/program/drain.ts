/** `drain` and `undrain` below the command of nodes. */
import type { Command } from "commander";
import { withExamples, withMaster } from "./shared-options.ts";

export function addDrainCommands(parent: Command): void {
  const drain = parent
    .command("drain")
    .summary("start no more tasks on nodes that are to be taken away")
    .description(
      "Starts no more tasks on nodes; what runs there finishes. Says what each is still needed for: tasks, active jobs that may " +
        "read from it, results that lie there.",
    )
    .argument("<nodes...>", "names of nodes")
    .option("--wait", "until nothing runs there and no active job reads from them");
  withExamples(withMaster(drain), `disco ${parent.name()} drain node3 --wait`).action(
    async (names: string[], _, command: Command) =>
      (await import("../commands/drain.ts")).drainNodes(names, command.optsWithGlobals()),
  );
  const undrain = parent
    .command("undrain")
    .summary("give drained nodes tasks again")
    .description("Keeps nodes that were to be taken away: they get tasks again.")
    .argument("<nodes...>", "names of nodes");
  withExamples(withMaster(undrain), `disco ${parent.name()} undrain node3`).action(
    async (names: string[], _, command: Command) =>
      (await import("../commands/drain.ts")).undrainNodes(names, command.optsWithGlobals()),
  );
}
