/** The first message to a worker: the job that it works for from now on, and where the job's files are. */
import type { ToWorker } from "../protocol/messages.ts";
import type { JobHome } from "./job-home.ts";

export interface WorkerSurroundings {
  readonly dataDir: string;
  readonly host: string;
  /** Address of the master, for `task.master`, asked for when a worker gets a job. */
  readonly master: () => string;
  /** For inputs at protected masters. */
  readonly token?: string | undefined;
  /** Data servers of all nodes, by name, and the token that they ask for. Absent: on one machine. */
  readonly peers?: {
    readonly dataServers: () => Readonly<Record<string, string>>;
    readonly token?: string | undefined;
  };
}

export function bindMessage(home: JobHome, workerId: string, around: WorkerSurroundings): ToWorker {
  const { job, packFile, jobDir, workDir } = home;
  const { dataDir, host, master, token, peers } = around;
  const dataServers = peers?.dataServers() ?? {};
  const place = { packFile, dataDir, jobDir, workDir, host, master: master(), workerId, dataServers };
  return {
    kind: "job",
    job,
    ...place,
    ...(token === undefined ? {} : { token }),
    ...(peers?.token === undefined ? {} : { dataToken: peers.token }),
  };
}
