/** Opens what a cluster stands on, as its settings say. Clients of engines are loaded only where they are used. */
import type { ClusterSettings } from "../settings/cluster.ts";
import { assertSupported } from "../settings/engine-support.ts";
import type { ClusterEngine } from "./cluster-engine.ts";
import type { Leading } from "./leading.ts";

/** @throws DiscoError `engine-not-supported`, and what the engine throws */
export async function openClusterEngine(settings: ClusterSettings, leading: Leading): Promise<ClusterEngine> {
  const { engine, journal, cluster } = settings;
  assertSupported(engine);
  return await openOnPostgres(journal ?? "", cluster, leading);
}

/** The masters carry the messages themselves. */
async function openOnPostgres(url: string, cluster: string, leading: Leading): Promise<ClusterEngine> {
  const [{ PostgresDatabase }, { openPostgresJournal }, { PostgresLease }, { PostgresLineFeed }, { HttpHub }] =
    await Promise.all([
      import("../postgres/database.ts"),
      import("../journal/postgres.ts"),
      import("../lease/postgres.ts"),
      import("../lines/postgres.ts"),
      import("../bus/http-hub.ts"),
    ]);
  const database = await PostgresDatabase.open(url, { cluster });
  const journal = await openPostgresJournal(database);
  const lease = new PostgresLease(database);
  const lines = new PostgresLineFeed(database);
  const bus = new HttpHub({
    leads: () => (leading.role() === "leads" ? leading.leader() : null),
    leader: () => leading.leader()?.url ?? null,
  });
  return {
    bus,
    journal,
    lease,
    lines,
    hub: bus.handle,
    close: async () => {
      await bus.close();
      await Promise.all([lease.close(), lines.close()]);
    },
  };
}
