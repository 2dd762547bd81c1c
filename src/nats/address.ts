/** Addresses of NATS: `nats://a,b:4223,c`, `tls://user:password@a,b`, `nats://token@a`. */
import { DiscoError } from "../errors.ts";

export interface NatsAddress {
  /** `host:port`, for the client. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Without what is secret, for people. */
  readonly shown: string;
}

const portByDefault = "4222";

/** @throws DiscoError `bad-address`. No message has what stands before an `@`. */
export function parseNatsAddress(url: string): NatsAddress {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/s.exec(url) ?? [];
  if (scheme !== "nats" && scheme !== "tls") throw bad("it has to begin with nats:// or tls://");
  const servers: string[] = [];
  let credentials: Partial<Pick<NatsAddress, "user" | "password" | "token">> = {};
  for (const item of rest.split(",")) {
    const one = parseServer(item.trim().replace(/^(?:nats|tls):\/\//, ""));
    servers.push(one.server);
    if (one.user !== "") {
      credentials = one.password === "" ? { token: one.user } : { user: one.user, password: one.password };
    }
  }
  return { servers, tls: scheme === "tls", ...credentials, shown: `${scheme}://${servers.join(",")}` };
}

function parseServer(text: string): { server: string; user: string; password: string } {
  let url: URL;
  try {
    url = new URL(`http://${text}`);
  } catch {
    throw bad("a server is written host or host:port, several with commas between them");
  }
  if (url.hostname === "" || (url.pathname !== "/" && url.pathname !== "") || url.search !== "" || url.hash !== "") {
    throw bad("a server is written host or host:port, several with commas between them");
  }
  // `URL` drops port 80 as http's own.
  const port = url.port === "" ? (/:80\/?$/.test(text) ? "80" : portByDefault) : url.port;
  const [user, password] = [url.username, url.password].map(decodeURIComponent) as [string, string];
  return { server: `${url.hostname}:${port}`, user, password };
}

function bad(why: string): DiscoError {
  return new DiscoError(`this is not the address of a NATS engine: ${why}`, {
    code: "bad-address",
    hint: "Write for instance nats://a.example,b.example,c.example or tls://a.example:4222.",
  });
}
