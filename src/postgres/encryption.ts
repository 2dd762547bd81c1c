/**
 * TLS to PostgreSQL by libpq's `sslmode`. The client library knows "must" and "must not" only; for `prefer` and `allow` the server is asked
 * first whether it has TLS, with the eight bytes that PostgreSQL has for that.
 */
import { connect } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { CommError } from "../errors.ts";
import type { PostgresAddress } from "./address.ts";

/** Length, and the number that no version of the protocol has. */
const sslRequest = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const yes = "S".charCodeAt(0);

/** What the client library takes as `ssl`. @throws CommError `postgres-unreachable` */
export async function encryptionFor(address: PostgresAddress, patienceMs: number): Promise<ConnectionOptions | false> {
  const { sslMode, certificates } = address;
  switch (sslMode) {
    case "disable":
      return false;
    case "allow":
    case "prefer":
      return (await hasTls(address, patienceMs)) ? { ...certificates, rejectUnauthorized: false } : false;
    case "require":
      // As libpq: with an authority to trust, it is `verify-ca`.
      return certificates.ca === undefined
        ? { ...certificates, rejectUnauthorized: false }
        : { ...certificates, checkServerIdentity: () => undefined };
    case "verify-ca":
      return { ...certificates, checkServerIdentity: () => undefined };
    case "verify-full":
      // Node would look for "localhost" in the certificate where the host is an address.
      return {
        ...certificates,
        checkServerIdentity: (_, certificate) => checkServerIdentity(address.host, certificate),
      };
  }
}

function hasTls({ host, port, shown }: PostgresAddress, patienceMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (cause: unknown): void => {
      socket.destroy();
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      const hint = "Start PostgreSQL, have it listen there (listen_addresses), or correct --journal (DISCO_JOURNAL).";
      reject(new CommError(`cannot reach ${shown}${why}`, { code: "postgres-unreachable", cause, hint }));
    };
    socket.setTimeout(patienceMs, () => fail(new Error("it does not answer")));
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("it closed the connection")));
    socket.once("connect", () => socket.write(sslRequest));
    socket.once("data", (answer) => {
      resolve(answer[0] === yes);
      socket.destroy();
    });
  });
}
