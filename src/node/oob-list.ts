/**
 * The list of a job's committed out-of-band values that lie on this node, `.disco/oob.json` in the job's home: file names
 * (relative to the data directory) by key. Tasks look there for values of earlier stages and of other jobs.
 */
import { join } from "node:path";
import { type JobHome, writeWhole } from "./job-home.ts";

export type OobFiles = Readonly<Record<string, string>>;

export async function writeOobList(home: Pick<JobHome, "systemDir">, oob: OobFiles): Promise<void> {
  if (Object.keys(oob).length === 0) return;
  await writeWhole(join(home.systemDir, "oob.json"), Buffer.from(JSON.stringify(oob), "utf8"));
}
