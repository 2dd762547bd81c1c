/** Opens what a cluster stands on, as its settings say. Clients of engines are loaded only where they are used. */
import { randomUUID } from "node:crypto";
import type { Journal } from "../journal/journal.ts";
import type { ClusterSettings } from "../settings/cluster.ts";
import { type NatsAccess, natsAccess } from "../settings/nats-settings.ts";
import type { ClusterEngine } from "./cluster-engine.ts";
import type { Leading } from "./leading.ts";

/** @throws what the engine throws */
export async function openClusterEngine(settings: ClusterSettings, leading: Leading): Promise<ClusterEngine> {
  const { journal, cluster, engineMonitors } = settings;
  const nats = natsAccess(settings, `master-${randomUUID()}`);
  if (nats !== null) return await openOnNats(nats, journal, engineMonitors);
  return await openOnPostgres(journal ?? "", cluster, leading);
}

/** All on NATS, or messages there and the rest on PostgreSQL. */
async function openOnNats(access: NatsAccess, url: string | null, monitors: readonly string[]): Promise<ClusterEngine> {
  const [{ openNats }, { NatsBus }, { openNatsJournal }, { openNatsLease }, { openNatsLines }] = await Promise.all([
    import("../nats/connection.ts"),
    import("../bus/nats.ts"),
    import("../journal/nats.ts"),
    import("../lease/nats.ts"),
    import("../lines/nats.ts"),
  ]);
  const connected = await openNats(access);
  try {
    const lease = await openNatsLease(connected);
    const lines = await openNatsLines(connected);
    const journal =
      url === null ? await openNatsJournal(connected, { monitors }) : await postgresJournal(url, access.cluster);
    const bus = new NatsBus(connected);
    const close = async (): Promise<void> => {
      try {
        await bus.close();
      } finally {
        await connected.close();
      }
    };
    return { bus, journal, lease, lines, close };
  } catch (error) {
    await connected.close();
    throw error;
  }
}

async function postgresJournal(url: string, cluster: string): Promise<Journal> {
  const [{ PostgresDatabase }, { openPostgresJournal }] = await Promise.all([
    import("../postgres/database.ts"),
    import("../journal/postgres.ts"),
  ]);
  return await openPostgresJournal(await PostgresDatabase.open(url, { cluster }));
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
