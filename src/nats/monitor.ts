/**
 * Whether servers of NATS have a record on the disk before they acknowledge it. Their clients are not told; the monitoring pages
 * that an operator may have switched on (`http_port`) tell it. `fsync` is only said when each server that keeps the stream says so
 * itself: one that does not answer, or is not among those asked, may lose with its power what was acknowledged.
 */

/** What a record survives, and what keeps it from surviving more, a sentence each. */
export interface Durability {
  readonly durable: "fsync" | "process-crash";
  readonly notes: readonly string[];
}

/** What is read of `/varz` and `/jsz`. */
interface JetStreamPage {
  readonly sync_always?: boolean;
  /** Nanoseconds. */
  readonly sync_interval?: number;
  readonly store_dir?: string;
}

interface Server extends JetStreamPage {
  readonly name: string;
  readonly version: string;
}

const patienceMs = 3_000;

/**
 * `monitors`: base URLs of monitoring pages. `keepers`: names of the servers that keep the stream; `null`: that is not known.
 */
export async function durabilityOf(
  monitors: readonly string[],
  keepers: readonly string[] | null,
): Promise<Durability> {
  const notes: string[] = [];
  const servers = await Promise.all(
    monitors.map((url) =>
      ask(url).catch((error: unknown) => {
        notes.push(`the monitor ${url} does not tell what it should: ${reasonOf(error)}`);
        return null;
      }),
    ),
  );
  if (keepers === null) notes.push("the engine does not say yet which of its servers keep the journal");
  for (const keeper of keepers ?? []) {
    const server = servers.find((one) => one?.name === keeper);
    if (server === undefined || server === null)
      notes.push(`no monitor tells of server ${keeper}, which keeps the journal`);
    else if (server.sync_always !== true) notes.push(late(server));
  }
  return { durable: notes.length === 0 ? "fsync" : "process-crash", notes };
}

async function ask(url: string): Promise<Server> {
  const [general, jetStream] = await Promise.all([page(url, "varz"), page(url, "jsz")]);
  const {
    server_name: name,
    version,
    jetstream,
  } = general as Partial<Record<"server_name" | "version", unknown>> & {
    readonly jetstream?: { readonly config?: JetStreamPage };
  };
  if (typeof name !== "string" || typeof version !== "string") throw new Error("/varz is not that of a NATS server");
  return { ...jetstream?.config, ...(jetStream as { readonly config?: JetStreamPage }).config, name, version };
}

async function page(url: string, path: string): Promise<object> {
  const response = await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(patienceMs) });
  if (!response.ok) throw new Error(`/${path} answers ${response.status}`);
  const json: unknown = await response.json();
  if (typeof json !== "object" || json === null) throw new Error(`/${path} is no JSON object`);
  return json;
}

function late({ name, version, sync_interval: nanoseconds, store_dir: folder }: Server): string {
  const every = nanoseconds === undefined ? "" : `, every ${nanoseconds / 1e9} s`;
  const where = folder === undefined ? "" : ` in ${folder}`;
  return `server ${name} (NATS ${version}) acknowledges records before it syncs them${where}${every}: sync_interval is not always`;
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
