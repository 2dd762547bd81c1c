/** What the settings of a cluster come to for the client of NATS. */

import type { ClusterSettings } from "./cluster.ts";
import { engineAddress } from "./cluster-addresses.ts";

export interface NatsAccess {
  readonly url: string;
  readonly cluster: string;
  readonly name: string;
  readonly allowOldEngine: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly credsFile?: string;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
}

/** `name`: who connects, as one part of a subject. `null`: the engine is not NATS. */
export function natsAccess(settings: ClusterSettings, name: string): NatsAccess | null {
  const { engine, engineAccess, cluster, allowOldEngine } = settings;
  if (engine?.kind !== "nats") return null;
  const { user, password, credsFile, caFile, certFile, keyFile } = engineAccess;
  const tls = {
    ...(caFile === null ? {} : { caFile }),
    ...(certFile === null ? {} : { certFile }),
    ...(keyFile === null ? {} : { keyFile }),
  };
  return {
    url: engineAddress.show(engine),
    cluster,
    name,
    allowOldEngine,
    ...(user === null ? {} : { user }),
    ...(password === null ? {} : { password }),
    ...(credsFile === null ? {} : { credsFile }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}
