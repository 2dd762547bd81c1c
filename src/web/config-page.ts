/** Nodes, settings, and the master itself. */
import type { MasterInfo, NodeInfo } from "../client/master-api.ts";
import { followCluster } from "./cluster-line.ts";
import { byId } from "./dom.ts";
import { showFacts } from "./facts.ts";
import { duration, moment } from "./format.ts";
import { KeyedList } from "./keyed-list.ts";
import { masterNow } from "./master-clock.ts";
import { nodeRow } from "./node-row.ts";
import { followSettings } from "./settings-form.ts";

const nodes = new KeyedList<NodeInfo>(
  byId("nodes", HTMLTableSectionElement),
  ({ name }) => name,
  (node) => nodeRow(node, () => cluster.again()),
);

const cluster = followCluster((seen) => {
  nodes.show(seen.nodes);
  showMaster(seen.master);
});
followSettings();

function showMaster(master: MasterInfo): void {
  const { scheduler, journal } = master;
  showFacts(byId("master", HTMLDListElement), [
    ["Version", master.version],
    ["Up for", duration(masterNow() - master.startedAt)],
    ["Started", moment(master.startedAt)],
    ["Takes jobs", master.readOnly ? "no: it is read-only" : "yes"],
    ["Scheduler", scheduler.policy === "fair" ? `fair, alpha ${scheduler.alpha}` : scheduler.policy],
    ["Journal", `${journal.engine}, survives ${survives[journal.durable]}`],
    ["Epoch", String(master.epoch)],
    ["Process", String(master.pid)],
    ["Root", master.root],
    ["Instance", master.instance],
  ]);
}

const survives: Readonly<Record<MasterInfo["journal"]["durable"], string>> = {
  fsync: "a power failure",
  "process-crash": "a crash of the process",
  memory: "nothing",
};
