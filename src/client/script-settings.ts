/**
 * Settings of scripts that come from elsewhere than the environment. Looked for once, when the first `Disco` is made; what reads
 * them is loaded only if there is something to read.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { packageModule } from "../package-files.ts";
import { rootDirectory } from "../root-directory.ts";
import type * as Adopting from "../settings/adopt.ts";
import type { ClientSettings } from "../settings/client.ts";
import { findConfigFile } from "../settings/config-search.ts";
import { masterAddress } from "./address.ts";

/** Where a token may be, beside `DISCO_TOKEN`. */
const tokenVariables = [
  "DISCO_TOKEN_FILE",
  "DISCO_SUBMIT_TOKEN",
  "DISCO_SUBMIT_TOKEN_FILE",
  "DISCO_READ_TOKEN",
  "DISCO_READ_TOKEN_FILE",
];
/** Variables whose value is not simply what they say. */
const read = ["DISCO_WORKERS", "DISCO_RETRY_SECONDS", ...tokenVariables];
let found: ClientSettings | null | undefined;
/** Base URLs of the masters that stand in `disco.toml` beside a token. */
let tokenIsOf: readonly string[] | null = null;

/** `null`: nothing is set beside what the environment says. Throws `DiscoError` `bad-config-file`, `bad-setting`. */
export function scriptSettings(): ClientSettings | null {
  if (found !== undefined) return found;
  found = null;
  if (hasSettings()) {
    const before = tokenOfEnvironment();
    found = load().adoptSettings();
    if (before === undefined && process.env["DISCO_TOKEN"]) tokenIsOf = masterAddress(undefined)?.urls ?? null;
  }
  return found;
}

/**
 * What a master asks for, as the environment has it: that is for any master that a script names. One that stands in `disco.toml` is
 * for the masters that stand beside it, and no other gets to see it. Throws `DiscoError` `bad-setting`.
 */
export function tokenOfEnvironment(masters: readonly string[] = []): string | undefined {
  const { env } = process;
  const owners = tokenIsOf;
  if (owners !== null && !masters.every((master) => owners.includes(master))) return undefined;
  const token = tokenVariables.some((variable) => env[variable]) ? load().environmentToken() : env["DISCO_TOKEN"];
  return token || undefined;
}

function hasSettings(): boolean {
  const { env } = process;
  if (read.some((variable) => env[variable])) return true;
  return findConfigFile({ flag: undefined, env, cwd: process.cwd(), root: rootDirectory() }) !== null;
}

/** At once, because `new Disco()` says what is wrong with the master's address. */
function load(): typeof Adopting {
  return createRequire(import.meta.url)(fileURLToPath(packageModule("settings/adopt"))) as typeof Adopting;
}
