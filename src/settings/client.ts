/**
 * The settings of clients and commands. Light: the parser of TOML is loaded only where there is a `disco.toml`, because every
 * script that imports the package comes by here.
 */
import { describeOrigin } from "./origin.ts";
import { type Origins, type Resolved, resolveSettings, type SettingSources } from "./resolve.ts";
import { resolveToken, scopes } from "./tokens.ts";

export interface ClientSettings {
  /** Absolute path. `DISCO_ROOT`. */
  readonly root: string;
  /** Worker processes of an embedded engine. `DISCO_WORKERS`. */
  readonly workers: number;
  /** `disco://host[:port]`, `http(s)://host[:port]`, or `local` (in this process); `null`: none is set. `DISCO_MASTER`. */
  readonly master: string | null;
  /** Base URL through which results are read; `null`: from the nodes themselves. `DISCO_PROXY`. */
  readonly proxy: string | null;
  /** What `DISCO_EVENTS` says: `1`, `json`, `nocolor`; `null`: nothing. */
  readonly events: string | null;
  /** How long to try again when a master does not answer. `DISCO_RETRY_SECONDS`. */
  readonly retrySeconds: number;
  /** Owner of new jobs; `null`: `user@host`. `DISCO_JOB_OWNER`. */
  readonly jobOwner: string | null;
}

export interface ResolvedClient {
  readonly settings: ClientSettings;
  readonly origins: Origins;
  readonly configFile: string | null;
  /** Where the address of the master comes from, for messages: `DISCO_MASTER in the environment`; `null`: none is set. */
  readonly masterFrom: string | null;
  /**
   * The token to send: of those that are set the one that allows most, be it in a variable or in a file, which is read now.
   * @throws DiscoError `bad-setting`
   */
  token(): string | null;
}

/** @throws DiscoError `bad-config-file`, `bad-setting` */
export function resolveClientSettings(sources: Partial<SettingSources> = {}): ResolvedClient {
  const { flags = {}, env = process.env, cwd = process.cwd() } = sources;
  const resolved = resolveSettings("client", { flags, env, cwd });
  const { root, workers, master, proxy, events, retrySeconds, jobOwner } = resolved.values;
  return {
    settings: { root, workers, master, proxy, events, retrySeconds, jobOwner },
    origins: resolved.origins,
    configFile: resolved.configFile?.file ?? null,
    masterFrom: master === null ? null : describeOrigin(resolved.origins.master),
    token: () => clientToken(resolved),
  };
}

function clientToken(resolved: Resolved): string | null {
  for (const scope of scopes) {
    const token = resolveToken(scope, resolved);
    if (token !== null) return token.value;
  }
  return null;
}
