/** Where the master is: none (the engine in this process), `disco://host[:port]` or `http(s)://…`. */
import { DiscoError } from "../errors.ts";
import { shown } from "./option-checks.ts";

export interface MasterAddress {
  /** Base URL, without a slash at its end: `http://host:8989`, `https://host/some/path`. */
  readonly url: string;
  /** As it was given. */
  readonly shown: string;
  /** The master is on this machine, so that it sees the same files. */
  readonly isHere: boolean;
}

export const defaultPort = 8989;

/**
 * The master that was given, or `DISCO_MASTER`; `null`: neither, or `local`: the engine runs in this process.
 * @throws DiscoError `bad-address`
 */
export function masterAddress(given: unknown): MasterAddress | null {
  const isGiven = given !== undefined && given !== "";
  const address = isGiven ? given : process.env["DISCO_MASTER"];
  if (address === undefined || address === "" || address === "local") return null;
  const found = typeof address === "string" ? parse(address) : null;
  if (found !== null) return found;
  const from = isGiven ? "" : " (from DISCO_MASTER)";
  const hasSecret = typeof address === "string" && /^[a-z]+:\/\/[^/?#]*@/i.test(address);
  const text = hasSecret ? "an address with a user or password" : quoted(address);
  throw new DiscoError(`${text}${from} is not the address of a master`, {
    code: "bad-address",
    hint: hasSecret
      ? "Give the token as new Disco(address, { token }), in DISCO_TOKEN or DISCO_TOKEN_FILE: addresses end up in logs."
      : typeof address === "object" && address !== null
        ? "Options are the second argument: new Disco(undefined, { … })."
        : "Write disco://host, disco://host:port or http(s)://host:port, or leave it out to run jobs in this process.",
  });
}

function parse(address: string): MasterAddress | null {
  const disco = /^disco:\/\/([^/:@\s[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?\/?$/.exec(address);
  if (disco === null && !/^https?:\/\//i.test(address)) return null;
  const text = disco === null ? address : `http://${disco[1]}:${disco[2] ?? defaultPort}`;
  if (!URL.canParse(text)) return null;
  const { protocol, host, hostname, pathname, username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "" || search !== "" || hash !== "" || hostname === "") return null;
  const url = `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
  return { url, shown: address, isHere: isLoopback(hostname) };
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?$/i.test(hostname);
}

function quoted(address: unknown): string {
  return typeof address === "string" ? JSON.stringify(address) : shown(address);
}
