/** How the server of a master or a node is known to others: its address, its certificate, the token that they show each other. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { DiscoError } from "../errors.ts";
import { isLoopback } from "../settings/addresses.ts";
import type { ClusterSettings } from "../settings/cluster.ts";

/** By which others reach it: what is set, else the machine's name unless only this machine can reach it. */
export function advertisedUrl({ advertise, host }: ClusterSettings, url: string): string {
  if (advertise !== null) return advertise;
  if (isLoopback(host)) return url;
  const own = new URL(url);
  own.hostname = host === "0.0.0.0" || host === "::" ? hostname() : host;
  return own.origin;
}

/** What masters and nodes show each other: of the tokens that are set the one that allows most. */
export function clusterToken({ admin, submit, read }: ClusterSettings["tokens"]): string | undefined {
  return admin ?? submit ?? read;
}

/** @throws DiscoError `bad-setting` */
export function caOf({ tls }: ClusterSettings): string | undefined {
  return tls.ca === null ? undefined : pemOf(tls.ca, "tls_ca");
}

/** @throws DiscoError `bad-setting` */
export function tlsOf({ tls }: ClusterSettings): { cert: string; key: string } | undefined {
  const { cert, key } = tls;
  return cert === null || key === null ? undefined : { cert: pemOf(cert, "tls_cert"), key: pemOf(key, "tls_key") };
}

function pemOf(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new DiscoError(`${name}: ${file} cannot be read: ${(cause as Error).message}`, {
      code: "bad-setting",
      cause,
      hint: "It has to be a PEM file that this user may read.",
    });
  }
}
