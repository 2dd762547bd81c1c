/**
 * Where the master is: none (the engine in this process), `disco://host[:port]` or `http(s)://…`; or where the masters of one cluster are, of
 * which any will do: a list of such addresses, or one with several hosts.
 */
import { DiscoError } from "../errors.ts";
import { splitMasters } from "../protocol/master-list.ts";
import { shown } from "./option-checks.ts";

export interface MasterAddress {
  /** Base URLs, without a slash at their end: `http://host:8989`, `https://host/some/path`. At least one; all http, or all https. */
  readonly urls: readonly [string, ...string[]];
  /** As it was given. */
  readonly shown: string;
  /** All masters are on this machine, so that they see the same files. */
  readonly isHere: boolean;
}

export const defaultPort = 8989;

/**
 * The master, or list of masters, that was given, or `DISCO_MASTER`; `null`: neither, or `local`: the engine runs in this process.
 * @throws DiscoError `bad-address`
 */
export function masterAddress(given: unknown): MasterAddress | null {
  const isGiven = given !== undefined && given !== "";
  const address = isGiven ? given : process.env["DISCO_MASTER"];
  if (address === undefined || address === "" || address === "local") return null;
  const texts = textsOf(address);
  const masters = texts?.map(parse) ?? [null];
  const wrong = masters.indexOf(null);
  const from = isGiven ? "" : " (from DISCO_MASTER)";
  if (wrong >= 0) throw badAddress(texts === null ? address : texts[wrong], from);
  const found = masters.filter((one) => one !== null);
  if (new Set(found.map(({ url }) => url.slice(0, url.indexOf(":")))).size > 1) {
    throw new DiscoError(`${quoted(texts?.join(", "))}${from} lists masters with and without TLS`, {
      code: "bad-address",
      hint: "A token would be shown to all of them: let all addresses begin with https://, or none.",
    });
  }
  const [first, ...others] = new Set(found.map(({ url }) => url));
  return {
    urls: [first as string, ...others],
    shown: typeof address === "string" ? address : (texts ?? []).join(","),
    isHere: found.every(({ isHere }) => isHere),
  };
}

interface Place {
  readonly url: string;
  readonly isHere: boolean;
}

/** One address each; `null`: it is neither an address nor a list. */
function textsOf(address: unknown): string[] | null {
  if (typeof address === "string") return splitMasters(address);
  if (!Array.isArray(address) || address.length === 0) return null;
  return address.every((one) => typeof one === "string") ? address.flatMap(splitMasters) : null;
}

function badAddress(address: unknown, from: string): DiscoError {
  const hasSecret = typeof address === "string" && /^[a-z]+:\/\/[^/?#]*@/i.test(address);
  const text = hasSecret ? "an address with a user or password" : quoted(address);
  return new DiscoError(`${text}${from} is not the address of a master`, {
    code: "bad-address",
    hint: hasSecret
      ? "Give the token as new Disco(address, { token }), in DISCO_TOKEN or DISCO_TOKEN_FILE: addresses end up in logs."
      : Array.isArray(address)
        ? 'Write a list of addresses, one for each master: ["disco://a", "disco://b"].'
        : typeof address === "object" && address !== null
          ? "Options are the second argument: new Disco(undefined, { … })."
          : "Write disco://host, disco://host:port or http(s)://host:port, several hosts as disco://a,b,c, or leave it out to run jobs in this process.",
  });
}

function parse(address: string): Place | null {
  const disco = /^disco:\/\/([^/:@\s[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?\/?$/.exec(address);
  if (disco === null && !/^https?:\/\//i.test(address)) return null;
  const text = disco === null ? address : `http://${disco[1]}:${disco[2] ?? defaultPort}`;
  if (!URL.canParse(text)) return null;
  const { protocol, host, hostname, pathname, username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "" || search !== "" || hash !== "" || hostname === "") return null;
  return { url: `${protocol}//${host}${pathname.replace(/\/+$/, "")}`, isHere: isLoopback(hostname) };
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?$/i.test(hostname);
}

function quoted(address: unknown): string {
  return typeof address === "string" ? JSON.stringify(address) : shown(address);
}
