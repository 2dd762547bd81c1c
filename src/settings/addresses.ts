/** Hosts, addresses of masters and proxies, names of nodes. */
import { splitMasters } from "../protocol/master-list.ts";
import { text, type ValueType } from "./value-type.ts";

/** By pattern, because `node:net` is much to load for every script. */
const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const hostPattern = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?$/i;

/** An IP address (IPv6 with or without brackets) or a name. */
export const host: ValueType<string> = {
  expects: "an address or name to listen at, such as 127.0.0.1, ::1 or 0.0.0.0",
  read: (raw) => {
    if (typeof raw !== "string") return null;
    const value = raw.replace(/^\[(.*)\]$/, "$1");
    return isHost(value) ? { value } : null;
  },
  show: String,
};

/** Digits and dots that are no address are a slip, not a name. */
function isHost(value: string): boolean {
  return isAddress(value) || (hostPattern.test(value) && !/^[\d.]+$/.test(value));
}

function isAddress(value: string): boolean {
  return (
    ipv4Pattern.test(value) ||
    (/^[0-9a-f:.]+(?:%[\w.-]+)?$/i.test(value) && URL.canParse(`http://[${value.replace(/%.*/, "")}]`))
  );
}

/** Nothing from outside this machine arrives there. */
export function isLoopback(address: string): boolean {
  if (ipv4Pattern.test(address)) return address.startsWith("127.");
  return address === "::1" || address === "localhost" || /^::ffff:127\./i.test(address);
}

/** As it stands in `disco://NODE/…` and as a directory below `data`. */
export const nodeName: ValueType<string> = text(
  "a name of letters, digits, `.`, `-` and `_` that begins with a letter or digit",
  /^[a-z0-9][a-z0-9._-]{0,252}$/i,
);

/** Instead of an address: jobs run in the caller's process. */
export const localMaster = "local";

/** One master or a list of them, as `client/address.ts` takes it: `disco://a,b,c`. In a file it may be a list of texts. */
export const masterAddress: ValueType<string> = {
  expects: "disco://host, disco://host:port, http(s)://host:port, a list such as disco://a,b,c, or local",
  read: (raw) => {
    if (raw === localMaster) return { value: raw };
    const texts = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
    if (texts.length === 0 || !texts.every((one) => typeof one === "string")) return null;
    const value = texts.join(",");
    const masters = splitMasters(value);
    const isMixed = new Set(masters.map((one) => /^https:/i.test(one))).size > 1;
    return !isMixed && masters.every(isMaster) ? { value } : null;
  },
  show: String,
};

function isMaster(one: string): boolean {
  const isDisco = /^disco:\/\/[^/\s@]+\/?$/i.test(one) && URL.canParse(one.replace(/^disco:/i, "http:"));
  return isDisco || isPlainUrl(one);
}

export const proxyAddress: ValueType<string> = {
  expects: "http(s)://host:port",
  read: (raw) => (typeof raw === "string" && isPlainUrl(raw) ? { value: raw } : null),
  show: String,
};

/** Without user, password, query and fragment: what identifies a caller has no place in an address. */
function isPlainUrl(raw: string): boolean {
  const url = /^https?:\/\/[^\s]+$/i.test(raw) ? URL.parse(raw) : null;
  return url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** `a.example.org,b.example.org`, or a list of them. */
export const hostNames: ValueType<readonly string[]> = {
  expects: "names of hosts, separated by commas",
  read: (raw) => {
    const names = typeof raw === "string" ? raw.split(",").map((name) => name.trim()) : raw;
    if (!Array.isArray(names)) return null;
    return names.every((name) => typeof name === "string" && isHost(name))
      ? { value: names.map((name: string) => name.toLowerCase()) }
      : null;
  },
  show: (names) => (names.length === 0 ? "none" : names.join(",")),
};

export const networks: ValueType<readonly string[]> = {
  expects: "networks such as 10.1.0.0/16 or fd00::/8, or addresses, separated by commas; not everybody's (/0)",
  read: (raw) => {
    const named = typeof raw === "string" ? raw.split(",").map((name) => name.trim()) : raw;
    if (!Array.isArray(named)) return null;
    return named.every((name) => typeof name === "string" && isNetwork(name)) ? { value: named as string[] } : null;
  },
  show: (named) => (named.length === 0 ? "none" : named.join(",")),
};

/** Whether it is one is looked at again by who trusts it (`http/trusted-networks.ts`). */
function isNetwork(text: string): boolean {
  const [, address = "", digits] = /^([0-9a-f:.]+)(?:\/([1-9]\d{0,2}))?$/i.exec(text) ?? [];
  return isAddress(address) && Number(digits ?? 1) <= (ipv4Pattern.test(address) ? 32 : 128);
}
