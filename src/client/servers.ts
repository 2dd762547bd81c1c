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
  readonly group: { current: string };
  readonly token: string | undefined;
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
  const group = { current: bases[0] ?? "" };
  for (const base of bases) servers.set(new URL(base).origin, { base, group, token: token === "" ? undefined : token });
  return (current) => {
    group.current = baseUrl(current) ?? group.current;
  };
}

/** All servers that are known by now: these, and those of the environment. */
export function knownServers(): KnownServers {
  const named = serversOf(process.env);
  const dataServers: Record<string, string> = { ...named.dataServers };
  for (const { base, group } of servers.values()) dataServers[authorityOf(base)] = group.current;
  return {
    ...named,
    dataServers,
    token: (origin) => (servers.has(origin) ? servers.get(origin)?.token : undefined) ?? named.token?.(origin),
  };
}

/**
 * The address of results of a job of the master at `server`, as it holds for everybody who reaches the master where we do: the master
 * gives `dir://NODE/disco/NODE/…`, and what NODE means is known there alone.
 */
export function addressAt(server: string, url: string): string {
  const base = baseUrl(server);
  if (base === null || !/^(?:dir|disco):/.test(url)) return url;
  const { host, port, path, node } = parseDiscoUrl(url);
  if (port !== null || host !== node) return url;
  return `${url.slice(0, url.indexOf("://") + 3)}${authorityOf(base)}${path}`;
}
