/** `disco rebuild`. */
import { type Command, Option } from "commander";
import { addNamedSettings } from "./setting-options.ts";
import { withExamples } from "./shared-options.ts";

export function addRebuild(program: Command): void {
  const rebuild = program
    .command("rebuild")
    .summary("make a new journal of tags from what nodes keep")
    .description(
      "Restores the tags of DDFS into a journal that has none, from the newest whole snapshot that nodes keep beside their blobs: where " +
        "the journal is lost, and the blobs are not. Nothing is deleted. Masters and the daemon are stopped meanwhile.",
    )
    .argument(
      "[directories...]",
      "data directories of nodes, or copies of them; needed with --engine or --journal, else that of the root is meant",
    )
    .requiredOption("--from-nodes", "from snapshots on the disks of nodes: there is no other way")
    .addOption(
      new Option("--of <whose>", "of a root: the daemon's journal, or that of commands without a daemon").choices([
        "daemon",
        "scripts",
      ]),
    );
  addNamedSettings(rebuild, [
    "root",
    "engine",
    "cluster",
    "journal",
    "allowOldEngine",
    "engineCreds",
    "engineCa",
    "engineCert",
    "engineKey",
  ]).option("--json", "print JSON");
  withExamples(
    rebuild,
    "disco rebuild --from-nodes",
    "disco rebuild --from-nodes --engine nats://a,b,c /mnt/node1/data /mnt/node2/data",
  ).action(async (directories: string[], options) => {
    process.exitCode = await (await import("../rebuild/rebuild.ts")).rebuild(directories, options);
  });
}
