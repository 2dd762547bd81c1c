/**
 * What the processes of a cluster on one machine are told. Settings come from flags, environment and disco.toml, as everywhere; those that
 * several processes of one machine cannot share are set apart for each. All of it goes by the environment: nothing shows in a list of
 * processes.
 */
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import { noConfigFile } from "../../settings/config-search.ts";
import { resolveSettings, type SettingFlags } from "../../settings/resolve.ts";
import { type SettingName, type SettingValues, settingNames, settingOf } from "../../settings/table.ts";
import { newToken, readTokenFile } from "../../settings/token.ts";
import { resolveToken } from "../../settings/tokens.ts";
import { makeRoot } from "../daemon/make-root.ts";
import { toldLevel } from "./up-lines.ts";

export interface UpSettings {
  readonly values: SettingValues;
  /** Folder of the cluster: `ROOT/cluster`. */
  readonly folder: string;
  readonly workers: number;
  /** Where the token is that was made for it; `null`: it was set. */
  readonly tokenFile: string | null;
  /** What all processes have in common. */
  readonly env: NodeJS.ProcessEnv;
}

/** What processes of one machine cannot share, or need not have: set for each, if at all. */
const ofEach: ReadonlySet<SettingName> = new Set<SettingName>([
  "root",
  "host",
  "port",
  "node",
  "volumes",
  "advertise",
  "tlsCert",
  "tlsKey",
  "tlsCa",
  "tokenFile",
]);

const tokenMode = 0o600;

/** @throws DiscoError `bad-setting`, `bad-config-file`, `bad-root` */
export async function upSettingsOf(flags: SettingFlags, nodes: number): Promise<UpSettings> {
  const resolved = resolveSettings("cluster", { flags, env: process.env, cwd: process.cwd() });
  const { values, origins } = resolved;
  if (values.engine?.kind === "http") {
    throw new DiscoError("engine names masters", {
      code: "bad-setting",
      hint: "A cluster on one machine starts its own: give it servers of NATS (--engine nats://a,b,c), or no engine at all.",
    });
  }
  const folder = join(values.root, "cluster");
  const given = resolveToken("admin", resolved);
  await makeRoot(folder);
  const tokenFile = given === null ? join(folder, "token") : null;
  const token = tokenFile === null ? given?.value : keptToken(tokenFile);
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of settingNames) {
    const { env: variable, type, secret } = settingOf(name);
    if (ofEach.has(name)) delete env[variable];
    else if (origins[name].kind === "flag" || origins[name].kind === "file") {
      if (secret !== true) env[variable] = type.show(values[name]);
    }
  }
  const share = Math.max(1, Math.floor(availableParallelism() / nodes));
  const workers = origins.workers.kind === "default" ? share : values.workers;
  Object.assign(env, {
    DISCO_CONFIG: noConfigFile,
    DISCO_TOKEN: token,
    DISCO_HOST: "127.0.0.1",
    DISCO_WORKERS: String(workers),
    DISCO_LOG_LEVEL: toldLevel(values.logLevel),
  });
  return { values, folder, workers, tokenFile, env };
}

/** The token of the start before, so that clients need no other. */
function keptToken(file: string): string {
  if (existsSync(file)) return readTokenFile(file, "the cluster's own");
  const token = newToken();
  writeFileSync(file, `${token}\n`, { mode: tokenMode, flag: "wx" });
  return token;
}
