/** The first message to a worker: the job that it works for from now on, and where the job's files are. */
import type { ToWorker } from "../protocol/messages.ts";
import type { JobHome } from "./job-home.ts";

export interface WorkerSurroundings {
  readonly dataDir: string;
  readonly host: string;
  /** Address of the master, for `task.master`. */
  readonly master: () => string;
  readonly token?: string | undefined;
}

export function bindMessage(home: JobHome, workerId: string, around: WorkerSurroundings): ToWorker {
  const { job, packFile, jobDir, workDir } = home;
  const { dataDir, host, master, token } = around;
  const place = { packFile, dataDir, jobDir, workDir, host, master: master(), workerId, dataServers: {} };
  return { kind: "job", job, ...place, ...(token === undefined ? {} : { token }) };
}
