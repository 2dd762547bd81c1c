/**
 * Servers that the environment names: `DISCO_MASTER`, `DISCO_PROXY`, and `DISCO_TOKEN`, which is for these two and for no other
 * server that an address, an index or a redirect may lead to.
 */
import { DiscoError } from "../errors.ts";
import { splitMasters } from "../protocol/master-list.ts";
import { defaultPort } from "./disco.ts";
import type { KnownServers } from "./scheme.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws DiscoError `bad-proxy` */
export function serversOf(env: Environment): KnownServers {
  const { DISCO_MASTER = "", DISCO_PROXY = "", DISCO_TOKEN = "" } = env;
  const proxy = DISCO_PROXY === "" ? null : proxyBase(DISCO_PROXY);
  // `local` is the engine in this process.
  const masters =
    DISCO_MASTER === "local"
      ? []
      : splitMasters(DISCO_MASTER)
          .map(baseUrl)
          .filter((base) => base !== null);
  const trusted = new Set([...masters, ...(proxy === null ? [] : [proxy])].map((base) => new URL(base).origin));
  const dataServers = Object.fromEntries(masters.map((base) => [authorityOf(base), base]));
  return {
    ...(proxy === null ? {} : { proxy }),
    ...(masters.length === 0 ? {} : { dataServers }),
    ...(DISCO_TOKEN === "" ? {} : { token: (origin: string) => (trusted.has(origin) ? DISCO_TOKEN : undefined) }),
  };
}

/** Base URL of a server that is given as `disco://HOST[:PORT]`, `HOST[:PORT]` or `http(s)://…`; `null` when it is no such thing. */
export function baseUrl(server: string): string | null {
  const isUrl = /^https?:\/\//i.test(server);
  const rest = isUrl ? server : server.replace(/^disco:\/\//i, "").replace(/\/$/, "");
  if (!isUrl && (rest === "" || /[\s/?#@]/.test(rest))) return null;
  const text = isUrl ? server : `http://${/:\d+$/.test(rest) ? rest : `${rest}:${defaultPort}`}`;
  return URL.canParse(text) ? text.replace(/\/+$/, "") : null;
}

/** How a server is named in addresses of results: `HOST:PORT`. */
export function authorityOf(base: string): string {
  const { protocol, hostname, port } = new URL(base);
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}

function proxyBase(text: string): string {
  const base = baseUrl(text);
  if (base !== null) return base;
  throw new DiscoError(`DISCO_PROXY is ${JSON.stringify(text)}, which is not the address of a server`, {
    code: "bad-proxy",
    hint: "Write http://host:port: the master's address as it is reached from here.",
  });
}
