/** Opens the bus of a node, as its settings say. Clients of engines are loaded only where they are used. */
import type { Bus } from "../bus/bus.ts";
import type { ClusterSettings } from "../settings/cluster.ts";
import { assertSupported } from "../settings/engine-support.ts";
import { caOf, clusterToken } from "./served-as.ts";

/** `session`: of this start of the node. @throws what the engine throws */
export async function openNodeBus(settings: ClusterSettings, session: string): Promise<Bus> {
  const { engine, node: host, tokens } = settings;
  assertSupported(engine);
  const masters = engine?.kind === "http" ? engine.masters : [];
  const [token, ca] = [clusterToken(tokens), caOf(settings)];
  const { HttpLink } = await import("../bus/http-link.ts");
  return new HttpLink({
    masters,
    host,
    session,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  });
}
