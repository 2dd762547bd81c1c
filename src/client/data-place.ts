/**
 * Where results of embedded engines lie. A `disco://localhost/…` address names a file below the data directory of the engine
 * that wrote it, and a process may have had engines with several roots: the address belongs to the one that has the file.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { localPath, parseDiscoUrl } from "../schemes/disco.ts";
import type { SchemeContext } from "../schemes/scheme.ts";

/** The name of the embedded engine's node. */
export const embeddedHost = "localhost";

const rootsUsed = new Set<string>();

/** The root directory of an engine: `root`, else `DISCO_ROOT`, else the place for a user's data. */
export function rootDirectory(root?: string): string {
  const { DISCO_ROOT, XDG_DATA_HOME } = process.env;
  if (root !== undefined && root !== "") return resolve(root);
  if (DISCO_ROOT !== undefined && DISCO_ROOT !== "") return resolve(DISCO_ROOT);
  const data = XDG_DATA_HOME === undefined || XDG_DATA_HOME === "" ? join(homedir(), ".local", "share") : XDG_DATA_HOME;
  return join(data, "disco");
}

/** From now on results below `root` are found as well. */
export function rememberRoot(root: string): void {
  rootsUsed.add(root);
}

/** What `schemes/` needs in order to open `url` here. */
export function placeOf(url: string): SchemeContext {
  const roots = [...rootsUsed].reverse();
  const usual = rootDirectory();
  if (!rootsUsed.has(usual)) roots.push(usual);
  const places = roots.map((root) => ({ host: embeddedHost, dataDir: join(root, "data") }));
  const first = places[0] as SchemeContext;
  if (places.length === 1 || !/^(?:dir|disco):/.test(url)) return first;
  const address = parseDiscoUrl(url);
  return places.find((place) => existsSync(localPath(address, place) ?? "")) ?? first;
}

/**
 * The file behind an address whose data lies with an engine of another root than `dataDir`: workers of that directory's engine
 * would look for the address in their own. `null` where they find it, or nobody does.
 */
export function fileOfOtherRoot(url: string, dataDir: string | undefined): string | null {
  const place = placeOf(url);
  if (dataDir === undefined || place.dataDir === dataDir || !/^disco:/.test(url)) return null;
  const path = localPath(parseDiscoUrl(url), place);
  return path !== null && existsSync(path) ? path : null;
}
