/**
 * The command line as a whole. Names, arguments and help of the commands are in `program/`, a file for each group of them; what
 * they do is in `run/`, `commands/` and `daemon/`, loaded on demand.
 */
import { Command } from "commander";
import { packageVersion } from "../package-version.ts";
import { addCheckWorker } from "./program/check-worker.ts";
import { addClusterCommands } from "./program/cluster.ts";
import { addCompletion } from "./program/completion.ts";
import { addDaemonCommands } from "./program/daemon.ts";
import { addEndingCommands } from "./program/ending.ts";
import { addJobCommands } from "./program/jobs.ts";
import { addNodeCommands } from "./program/nodes.ts";
import { addPackCommands } from "./program/packs.ts";
import { addProfile } from "./program/profile.ts";
import { addRebuild } from "./program/rebuild.ts";
import { addRecordCommands } from "./program/records.ts";
import { addRun } from "./program/run.ts";

export function buildProgram(): Command {
  const program = new Command("disco")
    .description("Map/reduce jobs in TypeScript: two functions and one call.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "explain a command")
    // Complaints come out as all other errors do: see `main`.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  program.commandsGroup("Jobs:");
  addRun(program);
  addJobCommands(program);
  addProfile(program);
  addPackCommands(program);
  addEndingCommands(program);
  program.commandsGroup("Records:");
  addRecordCommands(program);
  program.commandsGroup("Nodes:");
  addNodeCommands(program);
  program.commandsGroup("Daemon:");
  addDaemonCommands(program);
  program.commandsGroup("Cluster:");
  addClusterCommands(program);
  addRebuild(program);
  program.commandsGroup("Workers:");
  addCheckWorker(program);
  program.commandsGroup("Commands:");
  addCompletion(program);
  program.addHelpText("after", programNotes);
  return program;
}

const programNotes = `
Example (count.ts):
  import { JobDict, kvgroup } from "disco-mapreduce";
  export default new JobDict({
    input: ["*.txt"],
    map: (line) => line.split(/\\s+/).map((word) => [word, 1] as const),
    *reduce(pairs) {
      for (const [word, ones] of kvgroup(pairs)) yield [word, ones.reduce((sum, n) => sum + n, 0)] as const;
    },
    sort: true,
  });

  $ disco run count.ts

Environment:
  DISCO_MASTER   the master, as with --master
  DISCO_ROOT     where jobs and results are stored
  DISCO_DEBUG=1  print whole stack traces
  NO_COLOR=1     no colours
`;
