/** Commands of a cluster: masters and nodes as processes of their own. */
import type { Command } from "commander";
import { addDrainCommands } from "./drain.ts";
import { addSettings } from "./setting-options.ts";

export function addClusterCommands(program: Command): void {
  addMaster(program);
  addNode(program);
}

function addMaster(program: Command): void {
  const command = program
    .command("master")
    .summary("be a master of a cluster, in the foreground")
    .description(
      "Is one of the masters of a cluster, until Ctrl-C or SIGTERM: one of them leads, the others follow and take over. Any " +
        "number may be started, in any order.",
    );
  addSettings(command, ["both", "daemon", "cluster"])
    .addHelpText("after", masterNotes)
    .action(async (options) => {
      const { runMaster } = await import("../cluster/master.ts");
      process.exitCode = await runMaster(options);
    });
}

function addNode(program: Command): void {
  const command = program
    .command("node")
    .summary("be a node of a cluster, in the foreground")
    .description(
      "Is a node of a cluster, until Ctrl-C or SIGTERM: it joins the master that leads, whichever that is, and runs tasks. It " +
        "says goodbye when it ends, so that its tasks go to others at once.",
    );
  addSettings(command, ["both", "daemon", "cluster"])
    .option("--slots <n>", "worker processes at once: the same as --workers")
    .addHelpText("after", nodeNotes)
    .action(async (options) => {
      const { runNode } = await import("../cluster/node.ts");
      process.exitCode = await runNode(options);
    });
  addDrainCommands(command);
}

const masterNotes = `
Examples:
  $ disco master --engine nats://a,b,c --host 0.0.0.0 --token-file /etc/disco/token
  $ disco master --journal postgres://disco@db/disco

Exit status: 0 stopped by a signal, 1 it could not go on (another master has taken over: start it again), 2 wrong settings.
`;

const nodeNotes = `
Examples:
  $ disco node --engine nats://a,b,c --host 0.0.0.0 --token-file /etc/disco/token --slots 8 --volumes /data
  $ disco node --engine http://master1:8989,master2:8989

Exit status: 0 stopped by a signal, 1 it could not go on (its name is taken, its disk is in use), 2 wrong settings.
`;
