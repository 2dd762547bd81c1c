/** Checks the invariants of a master (M1, N1, N2, and those of its jobs) by counting everything anew. */
import { DiscoError } from "../errors.ts";
import { validateJob } from "./job/validate.ts";
import type { MasterMachine } from "./master.ts";

export function validateMaster(master: MasterMachine): void {
  const loads = new Map<string, number>();
  const awaiting = new Map<string, number>();
  for (const job of master.jobs.values()) {
    validateJob(job);
    if (job.status !== "active") throw broken(`${job.name} has ended and is still among the active jobs`);
    for (const stage of job.stages) {
      for (const { host } of [...stage.live.values()].flat()) {
        loads.set(host, (loads.get(host) ?? 0) + 1);
        if (stage.awaitsInput) awaiting.set(host, (awaiting.get(host) ?? 0) + 1);
      }
    }
  }
  let sum = 0;
  for (const node of master.cluster.nodes.values()) {
    const load = loads.get(node.host) ?? 0;
    if (node.load !== load) throw broken(`node ${node.host} counts ${node.load} live attempts and has ${load}`);
    const waits = awaiting.get(node.host) ?? 0;
    if (master.cluster.awaiting(node.host) !== waits)
      throw broken(`node ${node.host} counts ${master.cluster.awaiting(node.host)} attempts that wait, has ${waits}`);
    if (!node.connected && load > 0) throw broken(`node ${node.host} is lost and has ${load} live attempts`);
    const slots = master.cluster.config.get(node.host) ?? node.offered;
    if (node.slots !== slots) throw broken(`node ${node.host} has ${node.slots} slots and should have ${slots}`);
    if (master.cluster.open(node)) sum += slots;
    if (master.cluster.quarantined.has(node) !== (node.health?.until ?? 0) > 0)
      throw broken(`node ${node.host} is and is not in quarantine`);
    loads.delete(node.host);
  }
  if (sum !== master.cluster.slots) throw broken(`open nodes have ${sum} slots, ${master.cluster.slots} are counted`);
  for (const host of loads.keys()) throw broken(`attempts are live on ${host}, which never joined`);
}

function broken(story: string): DiscoError {
  return new DiscoError(`the master is at odds with itself: ${story}`, { code: "invariant" });
}
