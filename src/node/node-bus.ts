/** Opens the bus of a node, as its settings say. Clients of engines are loaded only where they are used. */
import type { Bus } from "../bus/bus.ts";
import { part } from "../bus/subjects.ts";
import { DiscoError } from "../errors.ts";
import type { ClusterSettings } from "../settings/cluster.ts";
import { natsAccess } from "../settings/nats-settings.ts";
import { caOf, clusterToken } from "./served-as.ts";

export interface BusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** `session`: of this start of the node. @throws what the engine throws */
export async function openNodeBus(settings: ClusterSettings, session: string, log?: BusLog): Promise<Bus> {
  const { engine, node: host, tokens } = settings;
  const nats = natsAccess(settings, part(host));
  if (nats !== null) {
    const [{ openNats }, { NatsBus }] = await Promise.all([import("../nats/connection.ts"), import("../bus/nats.ts")]);
    const connected = await openNats(nats);
    const bus = new NatsBus(connected);
    const close = bus.close.bind(bus);
    bus.close = async () => {
      try {
        await close();
      } finally {
        await connected.close();
      }
    };
    return bus;
  }
  const masters = engine?.kind === "http" ? engine.masters : [];
  const [token, ca] = [clusterToken(tokens), caOf(settings)];
  const { HttpLink } = await import("../bus/http-link.ts");
  return new HttpLink({
    masters,
    host,
    session,
    changed: (master, error) => {
      if (master !== null) log?.info({ master }, "talks to this master");
      else if (error instanceof DiscoError) {
        const { code, hint } = error;
        log?.warn(hint === undefined ? { code } : { code, hint }, `${error.message}; it is asked again`);
      } else log?.warn({}, "the master is gone; looks for one that leads");
    },
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  });
}
