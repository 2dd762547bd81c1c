/**
 * Settings of scripts that come from elsewhere than the environment. Looked for once, when the first `Disco` is made; what reads
 * them is loaded only if there is something to read.
 */
import { createRequire } from "node:module";
import type { adoptSettings } from "../settings/adopt.ts";
import type { ClientSettings } from "../settings/client.ts";
import { findConfigFile } from "../settings/config-search.ts";
import { rootDirectory } from "./data-place.ts";

/** Variables whose value is not simply what they say. */
const read = [
  "DISCO_WORKERS",
  "DISCO_TOKEN_FILE",
  "DISCO_SUBMIT_TOKEN",
  "DISCO_SUBMIT_TOKEN_FILE",
  "DISCO_READ_TOKEN",
  "DISCO_READ_TOKEN_FILE",
  "DISCO_RETRY_SECONDS",
];
let found: ClientSettings | null | undefined;

/** `null`: nothing is set beside what the environment says. Throws `DiscoError` `bad-config-file`, `bad-setting`. */
export function scriptSettings(): ClientSettings | null {
  if (found === undefined) found = hasSettings() ? load()() : null;
  return found;
}

function hasSettings(): boolean {
  const { env } = process;
  if (read.some((variable) => env[variable])) return true;
  return findConfigFile({ flag: undefined, env, cwd: process.cwd(), root: rootDirectory() }) !== null;
}

/** At once, because `new Disco()` says what is wrong with the master's address. */
function load(): typeof adoptSettings {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const module = createRequire(import.meta.url)(`../settings/adopt${extension}`) as {
    adoptSettings: typeof adoptSettings;
  };
  return module.adoptSettings;
}
