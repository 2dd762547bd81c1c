/**
 * `disco://HOST[:PORT]/disco/NODE/hh/JOB/FILE` names the file NODE/hh/JOB/FILE of node NODE, and says that the node's data server
 * is reached at HOST. The two are mostly the same; behind a tunnel, or for a node that calls itself `localhost`, they are not.
 * (The seed: `disco://cnode03/bigtxt/file_name` is `cnode03:/var/disco/bigtxt/file_name`.)
 *
 *   the file lies below the data directory of this process, if that is of NODE  ──▶  it is read
 *   else with a proxy                                                          ──▶  PROXY/proxy/NODE/GET/disco/NODE/…
 *   else                                                                       ──▶  http://HOST:PORT/disco/NODE/…
 *
 * `disco://NODE/ddfs/…` names a blob, whose file is below the data directory just the same; `disco://HOST/proxy/NODE/GET/ddfs/…` is one of
 * NODE, reached by way of HOST. Blobs of this node are checked while they are read (`blob-file.ts`), others by who sends them.
 *
 * Where HOST is a cluster's master that was asked for its nodes, the node itself is tried first: bulk data then flow past the master.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { openBlobFile } from "./blob-file.ts";
import { openFile } from "./file.ts";
import { openHttp } from "./http.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";

export const defaultPort = 8989;

export interface DiscoAddress {
  readonly host: string;
  /** Port named in the address, which overrides the node's known data server. */
  readonly port: number | null;
  /** With its leading slash: `/disco/NODE/hh/JOB/FILE`, `/ddfs/VOLUME/blob/hh/OBJECT`. */
  readonly path: string;
  /** HOST is to pass the request on to NODE: `/proxy/NODE/GET` came before the path. */
  readonly isPassedOn: boolean;
  /** Name of the node that has the file. */
  readonly node: string;
}

/** Takes a `disco://` or `dir://` address apart. Throws `DataError`. */
export function parseDiscoUrl(url: string): DiscoAddress {
  const match = /^(?:disco|dir):\/\/(\[[0-9a-fA-F:.]+\]|[^/:]+)(?::(\d{1,5}))?(\/.*)$/s.exec(url);
  const [, host, port, whole] = match ?? [];
  const [, through, beyond] = /^\/proxy\/([^/]+)\/GET(\/ddfs\/.*)$/s.exec(whole ?? "") ?? [];
  const path = beyond ?? whole;
  if (host === undefined || path === undefined || path.split("/").includes("..") || path.includes("\0")) {
    const scheme = url.startsWith("dir:") ? "dir" : "disco";
    throw new DataError(`${url} is not an address of the form ${scheme}://HOST/PATH`, {
      code: "bad-url",
      retry: "never",
      url,
    });
  }
  const node = through ?? /^\/disco\/([^/]+)\//.exec(path)?.[1] ?? host;
  return { host, port: port === undefined ? null : Number(port), path, isPassedOn: through !== undefined, node };
}

/** The file at `address` below a node's data directory, whether it exists or not. */
export function fileBelow(dataDir: string, { path }: DiscoAddress): string {
  return join(dataDir, path.replace(/^\/disco\//, "/"));
}

/** The file that an address of this node names; `null` when it has to be asked for elsewhere. */
export function localPath(address: DiscoAddress, context: SchemeContext): string | null {
  if (context.dataDir === undefined) return null;
  const file = fileBelow(context.dataDir, address);
  // Nobody else is meant: whether it is there will be seen when it is opened.
  if (address.port === null && address.host === context.host && !isElsewhere(address, file, context)) return file;
  return address.node === context.host && existsSync(file) ? file : null;
}

/** A store of blobs need not be directories: then the node's data server has what its data directory does not. */
function isElsewhere({ path, host }: DiscoAddress, file: string, { dataServers }: SchemeContext): boolean {
  return path.startsWith("/ddfs/") && dataServers?.[host] !== undefined && !existsSync(file);
}

/** Opens what `address` names, under the name `url`. */
export function openDisco(url: string, address: DiscoAddress, context: SchemeContext): ByteSource {
  const path = localPath(address, context);
  if (path !== null && address.path.startsWith("/ddfs/")) return openBlobFile(url, path, context);
  if (path !== null) return openFile(url, { path, from: 0, to: null });
  const file = { size: context.size ?? null };
  return openHttp(url, httpAddress(address, context), context, { file, shortcut: shortcutTo(address, context) });
}

/** Where a file is asked for: no part of the address is taken for more than a name. */
function httpAddress(address: DiscoAddress, { proxy, dataServers }: SchemeContext): string {
  const { host, port, path, node, isPassedOn } = address;
  const passedOn = `/proxy/${pathSegment(node)}/GET${encoded(path)}`;
  if (proxy !== undefined) return withoutSlash(proxy) + passedOn;
  const known = dataServers?.[authority(address)];
  return withoutSlash(known ?? `http://${host}:${port ?? defaultPort}`) + (isPassedOn ? passedOn : encoded(path));
}

/** The file at the node itself, without the detour by its master. */
function shortcutTo(address: DiscoAddress, { proxy, nodeAt }: SchemeContext): string | null {
  const base = proxy === undefined ? nodeAt?.(authority(address), address.node) : undefined;
  return base === undefined ? null : withoutSlash(base) + encoded(address.path);
}

function authority({ host, port }: DiscoAddress): string {
  return port === null ? host : `${host}:${port}`;
}

function encoded(path: string): string {
  return path.split("/").map(pathSegment).join("/");
}

/** `@` and `:`, which are in the names of all jobs, stay readable. */
function pathSegment(text: string): string {
  return encodeURIComponent(text).replaceAll("%40", "@").replaceAll("%3A", ":");
}

function withoutSlash(base: string): string {
  return base.replace(/\/+$/, "");
}

export const discoScheme: Scheme = {
  open(url, context) {
    return openDisco(url, parseDiscoUrl(url), context);
  },
};
