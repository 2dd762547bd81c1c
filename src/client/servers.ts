/**
 * Masters that this process talks to: where their nodes' data are reached, and the token that is shown there. Addresses of
 * results travel without tokens; a server that was talked to is recognised by its place, and no other gets to see its token.
 */

import { parseDiscoUrl } from "../schemes/disco.ts";
import { authorityOf, baseUrl, serversOf } from "../schemes/environment.ts";
import type { KnownServers } from "../schemes/scheme.ts";

interface Server {
  readonly base: string;
  /** Of the masters of one cluster: the one that is asked at present, through which the data of all are reached. */
  readonly group: Group;
  readonly token: string | undefined;
}

interface Group {
  current: string;
  /** Base URLs of the nodes' own data servers, by name. */
  nodes: ReadonlyMap<string, string>;
}

const servers = new Map<string, Server>();

/**
 * From now on results at this server can be read: `server` is `HOST:PORT` or its base URL, as it is reached from here. Called again, the
 * last token counts; without one, none is shown.
 */
export function rememberServer(server: string, { token }: { readonly token?: string | undefined } = {}): void {
  rememberServers([server], { token });
}

/**
 * As `rememberServer`, of the masters of one cluster: any of them leads to the same results. Returns how to say which of them answers by
 * now: addresses that name another one lead there, too.
 */
export function rememberServers(
  masters: readonly string[],
  { token }: { readonly token?: string | undefined } = {},
): (current: string) => void {
  const bases = masters.map(baseUrl).filter((base) => base !== null);
  const group: Group = { current: bases[0] ?? "", nodes: new Map() };
  for (const base of bases) servers.set(new URL(base).origin, { base, group, token: token === "" ? undefined : token });
  return (current) => {
    group.current = baseUrl(current) ?? group.current;
  };
}

/**
 * Results of the cluster whose master at `master` was remembered are read from its nodes, where they can be reached from here; their
 * addresses stay. The master's token is shown to exactly these nodes. Left out are nodes that the master names by a loopback address,
 * which is another machine's here unless the master is reached by one, and those without TLS behind a master with it.
 */
export function rememberNodes(
  master: string,
  nodes: readonly { readonly name: string; readonly url?: string | null }[],
): void {
  const base = baseUrl(master);
  const server = base === null ? undefined : servers.get(new URL(base).origin);
  if (base === null || server === undefined) return;
  const { protocol, hostname } = new URL(base);
  const known = new Map<string, string>();
  for (const { name, url } of nodes) {
    const at = typeof url === "string" && URL.canParse(url) ? new URL(url) : null;
    if (at === null || !/^https?:$/.test(at.protocol)) continue;
    if (isLoopback(at.hostname) && !isLoopback(hostname)) continue;
    if (protocol === "https:" && at.protocol !== protocol) continue;
    known.set(name, at.href);
  }
  server.group.nodes = known;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

function tokenOfNode(origin: string): string | undefined {
  for (const { group, token } of servers.values()) {
    for (const url of group.nodes.values()) if (new URL(url).origin === origin) return token;
  }
  return undefined;
}

/** All servers that are known by now: these, and those of the environment. */
export function knownServers(): KnownServers {
  const named = serversOf(process.env);
  const dataServers: Record<string, string> = { ...named.dataServers };
  const groups = new Map<string, Group>();
  for (const { base, group } of servers.values()) {
    dataServers[authorityOf(base)] = group.current;
    groups.set(authorityOf(base), group);
  }
  return {
    ...named,
    dataServers,
    nodeAt: (master, node) => groups.get(master)?.nodes.get(node),
    token: (origin) => servers.get(origin)?.token ?? named.token?.(origin) ?? tokenOfNode(origin),
  };
}

/**
 * The address of results of a job of the master at `server`, as it holds for everybody who reaches the master where we do: the master
 * gives `dir://NODE/disco/NODE/…`, and what NODE means is known there alone.
 */
export function addressAt(server: string, url: string): string {
  const base = baseUrl(server);
  if (base === null) return url;
  if (/^tag:\/\/[^/]+$/.test(url)) return `tag://${authorityOf(base)}/${url.slice("tag://".length)}`;
  if (!/^(?:dir|disco):/.test(url)) return url;
  const { host, port, path, node } = parseDiscoUrl(url);
  if (port !== null || host !== node) return url;
  return `${url.slice(0, url.indexOf("://") + 3)}${authorityOf(base)}${path}`;
}

/**
 * The address of a replica that the master at `server` names, as it holds here: `disco://NODE/ddfs/…` tells who has it, and not how to
 * get there. The master passes it on; the node itself is tried first.
 */
export function replicaAt(server: string, url: string): string {
  const base = baseUrl(server);
  // What all nodes share is with the master as well. (As `parseBlobAddress`, which is not loaded with the package.)
  const [, stored] = /^s3:\/\/\S+(\/blob\/[0-9a-f]{2}\/[^/\s#]+\$[0-9a-f-]+)$/.exec(url) ?? [];
  if (base !== null && stored !== undefined) return `disco://${authorityOf(base)}/ddfs/vol0${stored}`;
  if (base === null || !/^disco:\/\/[^/:]+\/ddfs\//.test(url)) return url;
  const { node, path } = parseDiscoUrl(url);
  return `disco://${authorityOf(base)}/proxy/${node}/GET${path}`;
}
