/** Has the journal say which cluster it is of, once: nodes keep that beside their blobs. */
import { randomUUID } from "node:crypto";
import type { Coordinator } from "../coordinator.ts";

/** @throws DiscoError what `record` throws */
export async function nameCluster(coordinator: Coordinator, now: () => number): Promise<void> {
  if (coordinator.machine.tags.cluster === null)
    coordinator.record([{ kind: "cluster-named", at: now(), id: randomUUID() }]);
  await coordinator.committed();
}
