/** Where a job's files lie, as in Disco: `HOST/hh/JOB` below the data directory; hh is the first byte of md5(JOB). */
import { createHash } from "node:crypto";

/** The pseudo host under which the master keeps what is the job's own: the job pack and the event log. */
export const masterHost = "_master";

/** Relative to the data directory, with `/` on every system: it is part of addresses. */
export function jobDirectory(host: string, job: string): string {
  return `${host}/${createHash("md5").update(job).digest("hex").slice(0, 2)}/${job}`;
}
