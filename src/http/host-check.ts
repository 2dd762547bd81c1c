/**
 * Against web pages that speak to this server through their visitor's browser.
 *
 * H1. A page may have its own name resolve to our address (DNS rebinding): the browser then takes us for the page's server. The
 *     Host header still has the page's name, so only names that are ours are served. A plain address cannot be rebound.
 * H2. A page may send requests to our name (CSRF, or an event stream). The browser says so in Origin and Sec-Fetch-Site: only
 *     our own origin is served, whatever the method. Programs send neither header. There are no CORS headers, and no cookies.
 */
import { isIP } from "node:net";
import type { Refusal } from "./refusal.ts";

export interface BrowserHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | string[] | undefined;
  readonly "sec-fetch-mode"?: string | string[] | undefined;
}

export class HostCheck {
  readonly #names: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;

  /** `own`: names of this server. `allowed`: those that an operator added, each with or without a port. */
  constructor(own: Iterable<string>, allowed: Iterable<string> = []) {
    this.#allowed = new Set([...allowed].map(canonical));
    this.#names = new Set([...[...own].map(canonical), ...this.#allowed]);
  }

  refusal(method: string, headers: BrowserHeaders): Refusal | null {
    const host = parseHost(headers.host ?? "");
    if (host === null) return { status: 400, code: "bad-host", message: "the header Host is no host" };
    if (isIP(host.name) === 0 && !this.#isOurs(host)) {
      const hint = `DISCO_ALLOWED_HOSTS=${host.name} allows it, should it be a name of this machine.`;
      return { status: 403, code: "foreign-host", message: `this server is not ${host.name}`, hint };
    }
    const { origin } = headers;
    if (origin !== undefined) return this.#isOwnOrigin(origin, host) ? null : foreignOrigin;
    const site = headers["sec-fetch-site"];
    if (site === undefined || site === "same-origin" || site === "none") return null;
    // Following a link to us shows our answer to the visitor, not to the page.
    return method === "GET" && headers["sec-fetch-mode"] === "navigate" ? null : foreignOrigin;
  }

  #isOurs({ name, port }: Host): boolean {
    return this.#names.has(name) || (port !== "" && this.#names.has(`${name}:${port}`));
  }

  /** Behind a proxy Host may be another name than the browser's: then the browser's must be allowed by name. */
  #isOwnOrigin(origin: string, host: Host): boolean {
    const match = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase());
    const from = match === null ? null : parseHost(match[2] ?? "");
    if (from === null) return false;
    const usual = match?.[1] === "https" ? "443" : "80";
    if (from.name === host.name && (from.port || usual) === (host.port || usual)) return true;
    const port = from.port || usual;
    return this.#allowed.has(`${from.name}:${port}`) || (port === usual && this.#allowed.has(from.name));
  }
}

const foreignOrigin: Refusal = {
  status: 403,
  code: "foreign-origin",
  message: "requests of other web pages are not answered",
};

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

interface Host {
  readonly name: string;
  /** Empty: none was given. */
  readonly port: string;
}

function parseHost(text: string): Host | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]{1,255}))(?::(\d{1,5}))?$/.exec(text.toLowerCase());
  if (match === null) return null;
  return { name: match[1] ?? (match[2] ?? "").replace(/\.$/, ""), port: match[3] ?? "" };
}
