/**
 * Masters that this process talks to: where their nodes' data are reached, and the token that is shown there. Addresses of
 * results travel without tokens; a server that was talked to is recognised by its place, and no other gets to see its token.
 */

import { parseDiscoUrl } from "../schemes/disco.ts";
import { authorityOf, baseUrl, serversOf } from "../schemes/environment.ts";
import type { KnownServers } from "../schemes/scheme.ts";

interface Server {
  readonly base: string;
  readonly token: string | undefined;
}

const servers = new Map<string, Server>();

/**
 * From now on results at this server can be read: `server` is `HOST:PORT` or its base URL, as it is reached from here. Called again, the
 * last token counts; without one, none is shown.
 */
export function rememberServer(server: string, { token }: { readonly token?: string | undefined } = {}): void {
  const base = baseUrl(server);
  if (base !== null) servers.set(new URL(base).origin, { base, token: token === "" ? undefined : token });
}

/** All servers that are known by now: these, and those of the environment. */
export function knownServers(): KnownServers {
  const named = serversOf(process.env);
  const dataServers: Record<string, string> = { ...named.dataServers };
  for (const { base } of servers.values()) dataServers[authorityOf(base)] = base;
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
