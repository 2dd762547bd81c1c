import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { IoError } from "./messages.ts";

const redirectsMax = 10;
/** Neither a byte nor an answer for so long: the server is gone. */
const idleTimeoutMs = 30_000;

export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly body: Readable;
  header(name: string): string | null;
  /** What came behind the body and is no HTTP: the server announced less than it sent. `null`: nothing of the kind. */
  excess(): Error | null;
}

export interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the server of `url`: it is not shown to another one that a redirect leads to, nor after that. */
  readonly token: string | null;
  readonly signal: AbortSignal;
  /** So long may it take until the server has taken the connection. */
  readonly connectMs?: number | undefined;
}

/**
 * A GET whose redirects have been followed. `isPaused` tells whether it is us who do not read: silence is then no fault of the
 * server's.
 */
export async function request(
  { url, headers, token, signal, connectMs }: Asked,
  isPaused: () => boolean,
): Promise<Reply> {
  let address = parse(url, url);
  const { origin } = address;
  let isTrusted = token !== null;
  for (let redirects = 0; ; redirects++) {
    isTrusted &&= address.origin === origin;
    const sent = isTrusted ? { ...headers, authorization: `Bearer ${token}` } : headers;
    const reply = await requestOnce(address, { headers: sent, signal, connectMs }, isPaused);
    const location = reply.header("location");
    if (reply.status < 300 || reply.status > 399 || reply.status === 304 || location === null) return reply;
    reply.body.destroy();
    if (redirects >= redirectsMax) {
      throw new IoError({ kind: "data", code: "bad-redirect", message: `${url}: more than ${redirectsMax} redirects` });
    }
    address = parse(location, url, address);
  }
}

function parse(text: string, url: string, base?: URL): URL {
  const address = URL.canParse(text, base?.href) ? new URL(text, base?.href) : null;
  if (address === null || (address.protocol !== "http:" && address.protocol !== "https:")) {
    const what = base === undefined ? "is not a valid address" : `leads to ${text}, which is no http address`;
    throw new IoError({
      kind: "data",
      code: base === undefined ? "bad-url" : "bad-redirect",
      message: `${url} ${what}`,
    });
  }
  return address;
}

function requestOnce(
  address: URL,
  { headers, signal, connectMs }: Pick<Asked, "headers" | "signal" | "connectMs">,
  isPaused: () => boolean,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let excess: Error | null = null;
    const client = address.protocol === "https:" ? https : http;
    const sent = client.get(address, { headers: { ...headers, "user-agent": "disco-mapreduce" }, signal }, (reply) => {
      resolve({
        status: reply.statusCode ?? 0,
        reason: reply.statusMessage ?? "",
        body: reply,
        header: (name) => {
          const value = reply.headers[name];
          return typeof value === "string" ? value : null;
        },
        excess: () => excess,
      });
    });
    if (connectMs !== undefined) limitConnecting(sent, connectMs);
    sent.setTimeout(idleTimeoutMs, () => {
      if (!isPaused()) sent.destroy(new Error(`no data for ${idleTimeoutMs / 1000} s`));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // The parser objects as soon as it comes upon them, before the body's stream ends.
      if (error.code?.startsWith("HPE_") === true) excess = error;
      reject(error);
    });
  });
}

/** The system itself waits for minutes where packets vanish. */
function limitConnecting(request: http.ClientRequest, connectMs: number): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(new Error(`no connection within ${connectMs / 1000} s`)), connectMs);
    const stop = (): void => clearTimeout(timer);
    socket.once("connect", stop).once("close", stop);
  });
}
