/**
 * Where results lie. Those of this machine are files: a `disco://localhost/…` address names one below the data directory of the
 * engine that wrote it, and a process may have had engines with several roots, so that the address belongs to the one that
 * has the file. All others are at the node's data server.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { rootDirectory } from "../root-directory.ts";
import { type DiscoAddress, fileBelow, parseDiscoUrl } from "../schemes/disco.ts";
import type { SchemeContext } from "../schemes/scheme.ts";
import { knownServers } from "./servers.ts";

/** The name of the embedded engine's node. */
export const embeddedHost = "localhost";

const rootsUsed = new Set<string>();

/** From now on results below `root` are found as well. */
export function rememberRoot(root: string): void {
  rootsUsed.add(root);
}

/** What `schemes/` needs in order to open `url` here. */
export function placeOf(url: string): SchemeContext {
  const servers = knownServers();
  if (!isOfNode(url)) return servers;
  const address = parseDiscoUrl(url);
  const dataDir = dataDirOf(address);
  if (dataDir !== null) return { ...servers, host: address.node, dataDir };
  // Most probably results of an embedded engine that are no more; a daemon of another root would answer at once.
  return isBare(address) ? { ...servers, isHasty: true } : servers;
}

/** Whether an address of a node names a file that this process can read by itself. */
export function isHere(url: string): boolean {
  return isOfNode(url) && dataDirOf(parseDiscoUrl(url)) !== null;
}

/** Whether an address is one that embedded engines give, which says nothing of how others reach it. */
export function isEmbedded(url: string): boolean {
  return isOfNode(url) && isBare(parseDiscoUrl(url));
}

/**
 * The file behind an address whose data lies with an engine of another root than `dataDir`: workers of that directory's engine
 * would look for the address in their own. `null` where they find it, or nobody does.
 */
export function fileOfOtherRoot(url: string, dataDir: string | undefined): string | null {
  if (dataDir === undefined || !url.startsWith("disco:")) return null;
  const address = parseDiscoUrl(url);
  const found = dataDirOf(address);
  return found === null || found === dataDir ? null : fileBelow(found, address);
}

function isOfNode(url: string): boolean {
  return url.startsWith("dir:") || url.startsWith("disco:");
}

function isBare({ host, port }: DiscoAddress): boolean {
  return host === embeddedHost && port === null;
}

/** The data directory that has the file, the latest that was used first. */
function dataDirOf(address: DiscoAddress): string | null {
  const usual = rootDirectory();
  const roots = [...rootsUsed].reverse();
  if (!rootsUsed.has(usual)) roots.push(usual);
  return roots.map((root) => join(root, "data")).find((dataDir) => existsSync(fileBelow(dataDir, address))) ?? null;
}
