/** Why there is no connection to NATS, with the server and what to do about it. What servers and files say that is secret is in none. */
import { CommError, DiscoError } from "../errors.ts";
import type { NatsAddress } from "./address.ts";

const certificateHints: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    "Give the servers new certificates; nats-server takes them without a restart (nats-server --signal reload).",
  CERT_NOT_YET_VALID: "Set the clocks of this machine and of the servers right.",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "Name the servers as their certificates do, or give them certificates (subjectAltName) for these names and addresses.",
};
const unknownAuthority = "Set DISCO_ENGINE_CA (--engine-ca) to the certificate of who signed those of the servers.";

/** The server, or a file of ours, says no: trying again does not help. `null`: nobody says no. */
export function refusalOf(error: unknown, address: NatsAddress): DiscoError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DiscoError) return cause;
    if (cause.name === "AuthorizationError" || cause.name === "UserAuthenticationExpiredError") {
      return new DiscoError(
        `the NATS engine at ${address.shown} refuses the connection: it does not let this user in`,
        {
          code: "engine-refused",
          hint: "Compare DISCO_ENGINE_USER and DISCO_ENGINE_PASSWORD, or DISCO_ENGINE_CREDS, with the servers' configuration.",
          cause,
        },
      );
    }
    const { code } = cause as { readonly code?: unknown };
    if (typeof code === "string" && /^(?:ERR_TLS|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/.test(code)) {
      return new DiscoError(
        `the certificate of the NATS engine at ${address.shown} is not to be trusted: ${cause.message}`,
        {
          code: "engine-refused",
          hint: certificateHints[code] ?? unknownAuthority,
          cause,
        },
      );
    }
  }
  return null;
}

/** Nobody answered for so long, or not as a server of NATS does. */
export function noAnswer(cause: unknown, address: NatsAddress, waitedMs: number): CommError {
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  const tlsToo = address.tls
    ? " With tls:// they need a tls block; where that says verify, they close the connection unless DISCO_ENGINE_CERT and DISCO_ENGINE_KEY are set, of an authority they know."
    : "";
  return new CommError(`no NATS server answers at ${address.shown}, tried for ${waitedMs / 1_000} s${why}`, {
    code: "engine-unreachable",
    hint: `Start nats-server with JetStream (nats-server -js), or correct the address.${tlsToo}`,
    cause,
  });
}
