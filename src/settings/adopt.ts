/**
 * For scripts: what stands in `disco.toml` or in a token file is put into the environment, where all parts of the library look,
 * and from where worker processes have it. Variables that are set stay as they are.
 */
import { localMaster } from "./addresses.ts";
import { type ClientSettings, resolveClientSettings } from "./client.ts";
import { noConfigFile } from "./config-search.ts";
import { adoptToken } from "./tokens.ts";

/** @throws DiscoError `bad-config-file`, `bad-setting` */
export function adoptSettings(env: NodeJS.ProcessEnv = process.env, cwd = process.cwd()): ClientSettings {
  const { settings, token } = resolveClientSettings({ env, cwd });
  const { root, master, proxy, events, retrySeconds, jobOwner } = settings;
  const fromFile = {
    DISCO_ROOT: root,
    DISCO_MASTER: master,
    DISCO_PROXY: proxy,
    DISCO_EVENTS: events,
    DISCO_JOB_OWNER: jobOwner,
  };
  for (const [variable, value] of Object.entries(fromFile)) if (!env[variable] && value !== null) env[variable] = value;
  // Also where it was set: with a unit, perhaps.
  env["DISCO_RETRY_SECONDS"] = String(retrySeconds);
  // A token is for the master that is set, and for no other that a script may name.
  const secret = master === null || master === localMaster ? null : token();
  if (secret !== null) adoptToken(secret, env);
  // All that the file says holds now, for workers, too, whatever directory they are in.
  env["DISCO_CONFIG"] = noConfigFile;
  return settings;
}

/**
 * The token that the environment itself gives, in a variable or in a file: it is for whatever master a script names, which one from
 * `disco.toml` is not.
 * @throws DiscoError `bad-setting`
 */
export function environmentToken(env: NodeJS.ProcessEnv = process.env, cwd = process.cwd()): string | null {
  return resolveClientSettings({ env: { ...env, DISCO_CONFIG: noConfigFile }, cwd }).token();
}
