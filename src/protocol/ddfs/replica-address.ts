/** Addresses of what lies in DDFS: `disco://HOST/ddfs/VOLUME/KIND/HH/OBJECT`, HH being the first byte of md5(OBJECT) in hex. */
import { createHash } from "node:crypto";
import { isStoreHost } from "../../core/ddfs/names.ts";

export function replicaAddress(host: string, volume: string, object: string, kind: "blob" | "tag" = "blob"): string {
  const hash = createHash("md5").update(object).digest("hex").slice(0, 2);
  if (isStoreHost(host)) return `${host}/${kind}/${hash}/${object}`;
  return `disco://${host}/ddfs/${volume}/${kind}/${hash}/${object}`;
}
