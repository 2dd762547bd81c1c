/**
 * TLS to NATS: whom this process trusts, who it is, and whether a server's certificate is for the server that was asked.
 *
 * Node compares a certificate with the name that it is given, and for an address without a name with "localhost". So a server that is
 * given by its address has to show a certificate for one of the addresses in the settings: of the servers of one engine any will do,
 * since who has the key of one of them could as well be it. A server that is given by name has to show a certificate for that name.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate } from "node:tls";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { DiscoError } from "../errors.ts";
import type { NatsAddress } from "./address.ts";

/** PEM files. The certificate goes with the key. */
export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** What the client library takes as `tls`; the files are read again for each connection, so that they may be renewed.
 * @throws DiscoError `bad-certificate`: a file that cannot be read, or is none */
export function tlsOptions(files: NatsTls, address: NatsAddress): NonNullable<NodeConnectionOptions["tls"]> {
  assertUsable(files);
  const hosts = address.servers.map((server) => server.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
  const own = {
    checkServerIdentity: (name: string, certificate: PeerCertificate) => identityError(hosts, name, certificate),
  };
  return { ...files, ...own, ...(address.tls ? {} : { handshakeFirst: false }) };
}

/** `name`: as Node calls the server. `undefined`: the certificate is for it. */
export function identityError(hosts: readonly string[], name: string, certificate: PeerCertificate): Error | undefined {
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  const isUnnamed = addresses.length > 0 && (name === "" || name === "localhost");
  const possible = isUnnamed ? hosts.filter((host) => isIP(host) !== 0 || host === name) : [name];
  const errors = possible.map((host) => checkServerIdentity(host, certificate));
  return errors.includes(undefined) ? undefined : errors[0];
}

function assertUsable({ caFile, certFile, keyFile }: NatsTls): void {
  const read = (file: string | undefined): Buffer | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw unusable(`${file}, for TLS to the NATS engine, cannot be read: ${(cause as Error).message}`, cause);
    }
  };
  const [ca, cert, key] = [read(caFile), read(certFile), read(keyFile)];
  for (const [what, context] of [
    [caFile, { ca }],
    [`${certFile} with ${keyFile}`, { cert, key }],
  ] as const) {
    try {
      createSecureContext(context);
    } catch (cause) {
      throw unusable(`${what} cannot be used for TLS to the NATS engine: ${(cause as Error).message}`, cause);
    }
  }
}

function unusable(message: string, cause: unknown): DiscoError {
  return new DiscoError(message, {
    code: "bad-certificate",
    hint: "Give PEM files that this user may read: DISCO_ENGINE_CA; DISCO_ENGINE_CERT with the DISCO_ENGINE_KEY that belongs to it.",
    cause,
  });
}
