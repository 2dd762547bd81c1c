/**
 * Where PostgreSQL is: a `postgres://` URL as libpq reads it. The password may be in it, better in `PGPASSWORD` or `~/.pgpass`, and is
 * never shown: `shown` is what messages and logs say.
 */
import { readFileSync } from "node:fs";
import { DiscoError } from "../errors.ts";

/** As in libpq. `require` encrypts without knowing who is at the other end; `verify-full` checks that it is the host. */
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

export interface PostgresAddress {
  /** Name, address, or directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly sslMode: SslMode;
  /** PEM: authorities to trust, and who this client is. */
  readonly certificates: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Without user and password. */
  readonly shown: string;
}

const defaultPort = 5432;
const portMax = 65_535;
const sslModes: readonly string[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const parameters: readonly string[] = ["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"];
const form = "postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full";

/** @throws DiscoError `bad-postgres-url` */
export function parsePostgresUrl(text: string, environment: NodeJS.ProcessEnv = process.env): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    // The text may hold a password.
    throw bad(
      `the address of PostgreSQL is no URL of the form ${form}${text.includes(",") ? ": one host expected" : ""}`,
    );
  }
  const query = url.searchParams;
  for (const name of query.keys())
    if (!parameters.includes(name)) throw bad(`unknown parameter ${name} in the address`);
  const host =
    decode(url.hostname).replace(/^\[|\]$/g, "") || query.get("host") || environment["PGHOST"] || "localhost";
  const port = Number(url.port || query.get("port") || environment["PGPORT"] || defaultPort);
  if (!Number.isInteger(port) || port < 1 || port > portMax) throw bad("the port is no number of a port");
  const sslMode = query.get("sslmode") ?? environment["PGSSLMODE"] ?? "prefer";
  if (!isSslMode(sslMode)) throw bad(`sslmode is ${sslMode}, one of ${sslModes.join(", ")} expected`);
  const database = decode(url.pathname.slice(1)) || environment["PGDATABASE"];
  return {
    host,
    port,
    database,
    user: decode(url.username) || environment["PGUSER"],
    password: decode(url.password) || environment["PGPASSWORD"],
    sslMode: host.startsWith("/") ? "disable" : sslMode,
    certificates: {
      ...pem("ca", query.get("sslrootcert") ?? environment["PGSSLROOTCERT"]),
      ...pem("cert", query.get("sslcert") ?? environment["PGSSLCERT"]),
      ...pem("key", query.get("sslkey") ?? environment["PGSSLKEY"]),
    },
    shown: host.startsWith("/")
      ? `postgres:///${database ?? ""}?host=${host}`
      : `postgres://${host.includes(":") ? `[${host}]` : host}:${port}/${database ?? ""}`,
  };
}

function pem(name: string, file: string | null | undefined): Readonly<Record<string, string>> {
  if (file == null || file === "") return {};
  try {
    return { [name]: readFileSync(file, "utf8") };
  } catch (cause) {
    throw bad(`cannot read the certificate or key ${file}`, cause);
  }
}

function isSslMode(text: string): text is SslMode {
  return sslModes.includes(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("a % in the address is not followed by two hex digits: write it as %25");
  }
}

function bad(message: string, cause?: unknown): DiscoError {
  const hint = `Write it as ${form}, with the password in PGPASSWORD or ~/.pgpass.`;
  return new DiscoError(message, { code: "bad-postgres-url", hint, cause });
}
