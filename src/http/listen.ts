/** Where the server listens, and what to do when it cannot. */
import { lookup } from "node:dns/promises";
import type { AddressInfo, Server } from "node:net";
import { BlockList, isIP } from "node:net";
import { DiscoError } from "../errors.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine reaches a server that listens there. Of a name: all of its addresses. */
export async function isLoopback(host: string): Promise<boolean> {
  const addresses = isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host }];
  return (
    addresses.length > 0 &&
    addresses.every(({ address }) => loopback.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"))
  );
}

/** @throws DiscoError `token-needed` */
export async function assertGuarded(host: string, hasTokens: boolean): Promise<void> {
  if (hasTokens || (await isLoopback(host))) return;
  throw new DiscoError(`${host} can be reached from other machines, and no token is set`, {
    code: "token-needed",
    hint: "Jobs run code: make a token with `disco token new FILE` and start with --token-file FILE, or listen at 127.0.0.1.",
  });
}

/**
 * Listens, and gives the port.
 * @throws DiscoError `port-in-use`, `port-forbidden`, `bad-host`
 */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(refusal(error, host, port));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Base URL as clients on this machine reach it. */
export function urlOf(host: string, port: number, scheme: "http" | "https" = "http"): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}`;
}

function refusal(cause: NodeJS.ErrnoException, host: string, port: number): DiscoError {
  if (cause.code === "EADDRINUSE") {
    const hint =
      "`disco status` tells whether a daemon has it; `--port` (DISCO_PORT) takes another one, 0 any that is free.";
    return new DiscoError(`port ${port} of ${host} is in use`, { code: "port-in-use", hint, cause });
  }
  if (cause.code === "EACCES") {
    const hint = "Ports below 1024 need privileges: `--port` takes another one.";
    return new DiscoError(`port ${port} may not be opened by this user`, { code: "port-forbidden", hint, cause });
  }
  const hint = "`--host` (DISCO_HOST) takes an address or name of this machine.";
  return new DiscoError(`cannot listen at ${host}: ${cause.message}`, { code: "bad-host", hint, cause });
}
