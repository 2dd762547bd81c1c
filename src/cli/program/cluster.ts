/** Commands of a cluster: masters and nodes as processes of their own. */
import type { Command } from "commander";
import { type SettingName, settingNames, settingOf } from "../../settings/table.ts";
import { addDrainCommands } from "./drain.ts";
import { parseWorkers } from "./option-values.ts";
import { addNamedSettings } from "./setting-options.ts";
import { withExamples } from "./shared-options.ts";

export function addClusterCommands(program: Command): void {
  addMaster(program);
  addNode(program);
  addCluster(program);
}

function addCluster(program: Command): void {
  const cluster = program
    .command("cluster")
    .summary("try a cluster on this machine")
    .description("A whole cluster on one machine, to try what several do.");
  withExamples(cluster, "disco cluster up --nodes 3");
  const up = cluster
    .command("up")
    .summary("run an engine, a master and nodes here, in the foreground")
    .description(
      "Starts a server of NATS, masters and nodes as processes of this machine, on loopback, and says how to run a job on them. " +
        "Ctrl-C or SIGTERM ends all of them; unfinished jobs go on at the next start.",
    )
    .option("--nodes <n>", "nodes to start", parseWorkers, nodesByDefault)
    .option("--masters <n>", "masters to start: one leads, the others follow", parseWorkers, 1);
  addNamedSettings(up, upSettings)
    .option("--json", "print JSON when it runs; logs go to standard error as JSON lines")
    .addHelpText("after", upNotes)
    .action(async (options) => {
      const { clusterUp } = await import("../cluster/up.ts");
      process.exitCode = await clusterUp(options);
    });
}

function addMaster(program: Command): void {
  const command = program
    .command("master")
    .summary("be a master of a cluster, in the foreground")
    .description(
      "Is one of the masters of a cluster, until Ctrl-C or SIGTERM: one of them leads, the others follow and take over. Any " +
        "number may be started, in any order.",
    );
  addNamedSettings(command, settingsOfMembersBut(ofNodes))
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
  addNamedSettings(command, settingsOfMembersBut(ofMasters))
    .option("--slots <n>", "worker processes at once: the same as --workers")
    .addHelpText("after", nodeNotes)
    .action(async (options) => {
      const { runNode } = await import("../cluster/node.ts");
      process.exitCode = await runNode(options);
    });
  addDrainCommands(command);
}

/** Settings that only nodes go by. In an environment or a disco.toml that masters and nodes share they do no harm. */
const ofNodes: ReadonlySet<SettingName> = new Set<SettingName>(["node", "workers", "labels", "volumes"]);

/** Settings that only masters go by. */
const ofMasters: ReadonlySet<SettingName> = new Set<SettingName>([
  "scheduler",
  "schedulerAlpha",
  "gcAfter",
  "packMax",
  "journal",
  "engineMonitor",
  "blobReplicas",
  "tagReplicas",
  "gcInterval",
  "gcGrace",
  "lostAfter",
  "scrubInterval",
]);

function settingsOfMembersBut(others: ReadonlySet<SettingName>): SettingName[] {
  return settingNames.filter((name) => settingOf(name).of !== "client" && !others.has(name));
}

const nodesByDefault = 2;

/** Settings that are flags of `disco cluster up`; what else is set in the environment or in disco.toml holds as well. */
const upSettings = [
  "root",
  "port",
  "workers",
  "engine",
  "cluster",
  "journal",
  "tokenFile",
  "gcAfter",
  "suspectAfter",
  "deadAfter",
  "allowOldEngine",
  "engineCreds",
  "engineCa",
  "engineCert",
  "engineKey",
  "logLevel",
] as const;

const upNotes = `
The server of NATS is started from the path (nats-server), unless --engine names one that runs. All that is stored lies below
ROOT/cluster. --workers are those of each node: by default the cores of the machine, shared out. --port is the first master's.

Examples:
  $ disco cluster up
  $ disco cluster up --nodes 3 --masters 2

Exit status: 0 stopped by a signal, 1 a process could not go on, 2 wrong settings, or no nats-server on the path.
`;

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
