/** A stage manifest as JSON. One of 50,000 outputs is 10 MB: it is made in parts, so that no string is as long. */
import type { StageManifest } from "../core/job/spec.ts";

const outputsAtOnce = 1_000;

export function manifestBytes({ stage, version, outputs }: StageManifest): Uint8Array {
  const parts = [Buffer.from(`{"stage":${stage},"version":${version},"outputs":[`)];
  for (let from = 0; from < outputs.length; from += outputsAtOnce) {
    const list = JSON.stringify(outputs.slice(from, from + outputsAtOnce)).slice(1, -1);
    parts.push(Buffer.from(from === 0 ? list : `,${list}`));
  }
  parts.push(Buffer.from("]}"));
  return Buffer.concat(parts);
}
