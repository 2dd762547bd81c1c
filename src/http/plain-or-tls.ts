/** A server that speaks HTTP, or HTTPS where it has a certificate. */
import http from "node:http";
import https from "node:https";
import { DiscoError } from "../errors.ts";
import { type HttpLimits, serverOptions } from "./limits.ts";

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** @throws DiscoError `bad-certificate` */
export function createServerFor(tls: Certificate | undefined, limits: HttpLimits): http.Server | https.Server {
  if (tls === undefined) return http.createServer(serverOptions(limits));
  try {
    return https.createServer({ ...serverOptions(limits), ...tls });
  } catch (cause) {
    throw new DiscoError(`the certificate or its key cannot be used: ${(cause as Error).message}`, {
      code: "bad-certificate",
      hint: "--tls-cert and --tls-key take PEM files that belong together, the certificate first and those that signed it behind.",
      cause,
    });
  }
}
