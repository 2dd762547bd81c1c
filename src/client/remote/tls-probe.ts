/**
 * Whether a server that broke off an HTTP exchange without a word speaks TLS: servers of TLS answer plain text by hanging up. It is asked
 * by beginning a TLS connection; nothing is sent over it, so its certificate need not be trusted.
 */

/** A handshake takes two round trips. */
const patienceMs = 2_000;

/** `url`: base URL of the server that was asked by http. Never rejects. */
export function speaksTls(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = process.getBuiltinModule("node:tls").connect({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port === "" ? "80" : port),
    rejectUnauthorized: false,
  });
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.once("secureConnect", () => resolve(true));
  // One that wants a certificate of the client refuses only after its own was read: that is TLS as well.
  socket.once("error", ({ code = "" }: NodeJS.ErrnoException) => resolve(code.startsWith("ERR_SSL_TLS")));
  socket.once("close", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
