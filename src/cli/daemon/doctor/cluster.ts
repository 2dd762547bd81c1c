/** What a master says of its cluster: who leads, what the journal survives, what keeps tasks off nodes. */
import type { MasterInfo, NodeInfo } from "../../../client/master-api.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** A record outlives the loss of one of so many servers. */
const replicasWanted = 3;
/** What a follower tells is always a little late; more than this is not usual. */
const oldMs = 5_000;

const survives: Readonly<Record<MasterInfo["journal"]["durable"], string>> = {
  fsync: "what it has accepted survives a loss of power",
  "process-crash":
    "what it has accepted survives the end of its processes, not a loss of power of all its servers at once",
  memory: "what it has accepted is gone when its process ends",
};

/** Nothing of a master on one machine, where there is nothing to choose. */
export function checkCluster({
  info,
  nodes,
}: {
  readonly info: MasterInfo;
  readonly nodes: readonly NodeInfo[];
}): Finding[] {
  if (info.role === undefined) return [];
  return [leaderOf(info), ...ageOf(info), ...journalOf(info.journal), ...nodes.flatMap(nodeOf)];
}

function leaderOf({ role, leader }: MasterInfo): Finding {
  if (role === "leads") return ok("leader", "this master leads");
  if (leader != null) return ok("leader", `the master at ${leader} leads, this one follows it`);
  return fail("leader", "no master leads", "Start another one (`disco master`), and look whether the engine answers.");
}

function ageOf({ role, ageMs = 0 }: MasterInfo): Finding[] {
  if (role === "leads" || ageMs <= oldMs) return [];
  const text = `what this master tells is ${Math.round(ageMs / 1000)} s old`;
  return [warn("age", text, "Look whether it still reaches the engine: its log says.")];
}

function journalOf({ engine, durable, replicas = 1, version, notes = [] }: MasterInfo["journal"]): Finding[] {
  const name = version === undefined ? engine : `${engine} ${version}`;
  const few =
    replicas < replicasWanted && engine === "nats"
      ? [
          warn(
            "replicas",
            `the journal has ${replicas === 1 ? "one copy" : `${replicas} copies`}: the loss of a server can end the cluster`,
            `Run ${replicasWanted} servers of the engine; the copies are then made when a master starts.`,
          ),
        ]
      : [];
  return [
    ok("journal", `the journal is in ${name}: ${survives[durable]} (${durable})`),
    ...few,
    ...notes.map((note) => warn("engine", note, "docs/cluster.md says which versions of the engine do what.")),
  ];
}

/** Lost nodes are told of with every master. */
function nodeOf({ name, state, reason, lastHeardMs = 0 }: NodeInfo): Finding[] {
  switch (state) {
    case "suspect":
    case "awaited":
      return [
        warn("node", `node ${name} has not been heard for ${Math.round(lastHeardMs / 1000)} s`, "Look into its log."),
      ];
    case "quarantined":
      return [
        warn(
          "node",
          `node ${name} is in quarantine: ${reason ?? "all that it did failed"}`,
          "`disco whitelist` lets it out.",
        ),
      ];
    case "full":
      return [
        warn(
          "node",
          `node ${name} gets no tasks: its disk has less room than DISCO_DISK_RESERVE keeps`,
          "Make room there: `disco purge` deletes the files of jobs that are not needed any more.",
        ),
      ];
    case "draining":
      return [ok("node", `node ${name} is being drained`)];
    default:
      return [];
  }
}
