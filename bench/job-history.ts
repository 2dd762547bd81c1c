/** A root whose daemon has a long past: jobs that were submitted and killed, as its journal would have them. */
import { join } from "node:path";
import { nameJob } from "../src/core/job/name.ts";
import { jobSpec } from "../src/core/testing.ts";
import { Ledger } from "../src/journal/ledger.ts";
import { openSqliteJournal } from "../src/journal/sqlite.ts";
import { daemonJournalName } from "../src/settings/daemon-settings.ts";

const turnJobs = 100;
const jobMs = 1_000;

/** Writes the journal of a daemon below `root`, which has to exist. */
export function writeJobHistory(root: string, jobs: number): void {
  const spec = jobSpec();
  let at = Date.now() - jobs * jobMs;
  const ledger = Ledger.open({
    journal: openSqliteJournal(join(root, daemonJournalName)),
    writer: "bench",
    now: () => at,
    carryOut: () => undefined,
  });
  for (let n = 0; n < jobs; n++) {
    at += jobMs;
    const job = nameJob(spec.prefix, at * 1_000);
    ledger.record({ kind: "job-submitted", at, job, spec });
    ledger.record({ kind: "job-killed", at: at + 1, job });
    if (n % turnJobs === 0) ledger.flush();
  }
  ledger.close();
}
