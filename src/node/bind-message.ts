/**
 * What a node tells a worker: first the job that it works for from now on and where the job's files are, then tasks. The data
 * servers of the cluster's nodes go with the first message, and again with the first tasks after they have changed: a worker lives
 * as long as its job, and nodes come and go meanwhile. The map is another object when it is another map, so that nothing is compared.
 */
import { dataTokenOf } from "../http/data-token.ts";
import type { ToWorker, WorkerTask } from "../protocol/messages.ts";
import type { JobHome } from "./job-home.ts";

export interface WorkerSurroundings {
  readonly dataDir: string;
  readonly host: string;
  /** Address of the master, for `task.master`, asked for when a worker gets a job. */
  readonly master: () => string;
  /** For inputs at protected masters. */
  readonly token?: string | undefined;
  /** Data servers of all nodes, by name, and the cluster's token. Workers get what is derived from it. Absent: on one machine. */
  readonly peers?: {
    readonly dataServers: () => Readonly<Record<string, string>>;
    readonly token?: string | undefined;
  };
}

/** Tasks, with the data servers unless they are those that the worker was `told` last. */
export function tasksMessage(
  tasks: readonly WorkerTask[],
  told: Readonly<Record<string, string>> | undefined,
  { peers }: WorkerSurroundings,
): ToWorker {
  const dataServers = peers?.dataServers();
  return { kind: "tasks", tasks, ...(dataServers === undefined || dataServers === told ? {} : { dataServers }) };
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
    ...(peers?.token === undefined ? {} : { dataToken: dataTokenOf(peers.token) }),
  };
}
