/** SHA-256 in headers of HTTP (RFC 9530): `Repr-Digest: sha-256=:BASE64:`. */
import type { IncomingHttpHeaders } from "node:http";

/** In hex; `null`: none is shown. */
export function digestIn(headers: IncomingHttpHeaders): string | null {
  for (const name of ["repr-digest", "content-digest"]) {
    const value = headers[name];
    const base64 = typeof value === "string" ? /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(value)?.[1] : undefined;
    if (base64 !== undefined) return Buffer.from(base64, "base64").toString("hex");
  }
  return null;
}

export function digestHeader(hex: string): string {
  return `sha-256=:${Buffer.from(hex, "hex").toString("base64")}:`;
}
