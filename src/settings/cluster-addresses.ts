/** Addresses of what a cluster stands on: the engine, the journal, its own machines. Never with a password in them. */
import type { ValueType } from "./value-type.ts";

export type Engine =
  /** Servers of NATS: `host:port`, TLS or not. */
  | { readonly kind: "nats"; readonly servers: readonly string[]; readonly tls: boolean }
  /** Masters that carry the messages themselves: their base URLs. */
  | { readonly kind: "http"; readonly masters: readonly string[] };

const natsPort = 4222;
const masterPort = 8989;
const monitorPort = 8222;

export const engineAddress: ValueType<Engine> = {
  expects:
    "nats://host:port,host:port (or tls://…), or http(s)://master:port,master:port; " +
    "without user and password (DISCO_ENGINE_CREDS, DISCO_ENGINE_USER, DISCO_ENGINE_PASSWORD)",
  read: (raw) => {
    const [, scheme = "", rest = ""] = (typeof raw === "string" && /^(nats|tls|https?):\/\/(.+)$/i.exec(raw)) || [];
    const kind = scheme.toLowerCase();
    const isNats = kind === "nats" || kind === "tls";
    const hosts = rest.split(",").map((one) => hostOf(one.trim(), kind, isNats ? natsPort : masterPort));
    const good = hosts.filter((one) => one !== null);
    if (scheme === "" || good.length < hosts.length) return null;
    if (isNats) return { value: { kind: "nats", servers: good, tls: kind === "tls" } };
    return { value: { kind: "http", masters: good.map((one) => `${kind}://${one}`) } };
  },
  show: (engine) =>
    engine.kind === "nats" ? `${engine.tls ? "tls" : "nats"}://${engine.servers.join(",")}` : engine.masters.join(","),
};

/** Monitoring pages of servers of NATS: their base URLs. */
export const monitorAddresses: ValueType<readonly string[]> = {
  expects: "http(s)://host:port,host:port, without user and password",
  read: (raw) => {
    const [, scheme = "", rest = ""] = (typeof raw === "string" && /^(https?):\/\/(.+)$/i.exec(raw)) || [];
    const kind = scheme.toLowerCase();
    const hosts = rest.split(",").map((one) => hostOf(one.trim(), kind, monitorPort));
    return scheme === "" || hosts.includes(null) ? null : { value: hosts.map((one) => `${kind}://${one}`) };
  },
  show: (urls) => urls.join(","),
};

/** PostgreSQL, by a URL as libpq knows it; the password comes from `PGPASSWORD` or a `.pgpass` file. */
export const journalAddress: ValueType<string> = {
  expects: "postgres://user@host:port/database, without a password (PGPASSWORD, ~/.pgpass)",
  read: (raw) => {
    if (typeof raw !== "string" || !/^postgres(?:ql)?:\/\//i.test(raw)) return null;
    const url = URL.parse(raw);
    return url === null || url.password !== "" || url.searchParams.has("password") ? null : { value: raw };
  },
  show: String,
};

/** Base URL of a server, as other machines reach it. */
export const serverUrl: ValueType<string> = {
  expects: "http(s)://host:port",
  read: (raw) => {
    const url = typeof raw === "string" && /^https?:\/\//i.test(raw) ? URL.parse(raw) : null;
    const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
    return isPlain && url.pathname === "/" ? { value: url.origin } : null;
  },
  show: String,
};

/** `host:port`, with the scheme before it where several were written out. */
function hostOf(text: string, kind: string, port: number): string | null {
  const bare = text.replace(new RegExp(`^${kind}://`, "i"), "").replace(/\/$/, "");
  const url = URL.parse(`none://${bare}`);
  const isPlain = url !== null && url.hostname !== "" && url.username === "" && url.password === "";
  return isPlain && url.pathname === "" && url.search === "" ? `${url.hostname}:${url.port || port}` : null;
}
