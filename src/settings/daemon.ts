/** The settings of a daemon from flags, environment and `disco.toml`: complete and checked, or refused with the reason. */
import { DiscoError } from "../errors.ts";
import { isLoopback } from "./addresses.ts";
import type { DaemonSettings, DdfsSettings, Scope } from "./daemon-settings.ts";
import { describeOrigin } from "./origin.ts";
import { type Origins, type Resolved, resolveSettings, type SettingSources } from "./resolve.ts";
import { type SettingValues, settingsTable } from "./table.ts";
import { resolveToken, scopes, tokenSettings } from "./tokens.ts";

export interface ResolvedDaemon {
  readonly settings: DaemonSettings;
  readonly origins: Origins;
  /** Absolute path of the `disco.toml` that was read; `null`: none. */
  readonly configFile: string | null;
  /** Sentences about settings that are allowed but probably not meant. */
  readonly warnings: readonly string[];
}

/** @throws DiscoError `bad-config-file`, `bad-setting`, `token-needed` */
export function resolveDaemonSettings(sources: SettingSources): ResolvedDaemon {
  return daemonOf(resolveSettings("daemon", sources));
}

/** @throws DiscoError `bad-setting`, `token-needed` */
export function daemonOf(resolved: Resolved): ResolvedDaemon {
  const { values, origins, configFile } = resolved;
  const tokens = tokensOf(resolved);
  assertGuarded(resolved, tokens);
  assertNodeName(resolved);
  const settings: DaemonSettings = {
    root: values.root,
    host: values.host,
    port: values.port,
    node: values.node,
    workers: values.workers,
    labels: values.labels,
    scheduler: { policy: values.scheduler, alpha: values.schedulerAlpha },
    gcAfterSeconds: values.gcAfter,
    tokens,
    allowedHosts: values.allowedHosts,
    trustedNetworks: values.trustedNetworks,
    packBytesMax: values.packMax,
    diskReserveBytes: values.diskReserve,
    ddfs: ddfsOf(values),
    logLevel: values.logLevel,
  };
  return { settings, origins, configFile: configFile?.file ?? null, warnings: warningsOf(tokens) };
}

function ddfsOf({
  blobReplicas,
  tagReplicas,
  ddfsStore,
  gcGrace,
  gcInterval,
  lostAfter,
  scrubInterval,
}: SettingValues): DdfsSettings {
  const ms = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
  return {
    blobReplicas,
    tagReplicas,
    store: ddfsStore,
    times: {
      graceMs: gcGrace * 1_000,
      intervalMs: ms(gcInterval),
      lostAfterMs: lostAfter * 1_000,
      scrubIntervalMs: ms(scrubInterval),
    },
  };
}

function tokensOf(resolved: Resolved): Partial<Record<Scope, string>> {
  const tokens: Partial<Record<Scope, string>> = {};
  for (const scope of scopes) {
    const token = resolveToken(scope, resolved);
    if (token === null) continue;
    const same = scopes.find((other) => tokens[other] === token.value);
    if (same !== undefined) {
      throw new DiscoError(`the token for scope ${scope} (${describeOrigin(token.origin)}) is that for scope ${same}`, {
        code: "bad-setting",
        hint: "Who has one of them would have both rights: make a token of its own, with `disco token new`.",
      });
    }
    tokens[scope] = token.value;
  }
  return tokens;
}

function assertGuarded({ values, origins }: Resolved, tokens: Partial<Record<Scope, string>>): void {
  if (isLoopback(values.host) || Object.keys(tokens).length > 0) return;
  throw new DiscoError(
    `host ${values.host} (${describeOrigin(origins.host)}) lets other machines in: that needs a token, and none is set`,
    {
      code: "token-needed",
      hint: "Make one with `disco token new FILE`, and start with --token-file FILE (or token_file in disco.toml, or the token itself in DISCO_TOKEN).",
    },
  );
}

/** The machine's own name may be one that no node can have. */
function assertNodeName({ values }: Resolved): void {
  const { expects, read } = settingsTable.node.type;
  if (read(values.node, "") !== null) return;
  throw new DiscoError(
    `this machine's name, ${JSON.stringify(values.node)}, is no name for a node: expected ${expects}`,
    {
      code: "bad-setting",
      hint: "Choose one with --node or DISCO_NODE.",
    },
  );
}

function warningsOf(tokens: Partial<Record<Scope, string>>): string[] {
  const set = scopes.filter((scope) => tokens[scope] !== undefined);
  if (set.length === 0 || tokens.admin !== undefined) return [];
  const missing = tokens.submit === undefined ? "start or end jobs" : "change settings or blacklists";
  return [
    `Only a token for ${set.join(" and ")} is set: nobody can ${missing} over HTTP. ${tokenSettings.admin.env} allows everything.`,
  ];
}
