/** The schemas of the JSON API and the client's hand-written contract (`client/master-api.ts`) say the same. */
import type { InferOutput } from "valibot";
import type * as contract from "../../src/client/master-api.ts";
import type { TaskFailure } from "../../src/errors.ts";
import type { taskFailure } from "../../src/protocol/api/errors.ts";
import type { eventLine, jobEvent } from "../../src/protocol/api/events.ts";
import type {
  jobInfo,
  jobListEntry,
  jobProgress,
  jobResult,
  listedJob,
  stageInfo,
} from "../../src/protocol/api/jobs.ts";
import type { alarm, masterInfo } from "../../src/protocol/api/master.ts";
import type { nodeInfo } from "../../src/protocol/api/nodes.ts";
import type { AnySchema } from "../../src/protocol/api/operation.ts";
import type { configTable, masterSettings, settingsChanges } from "../../src/protocol/api/settings.ts";
import type { attemptInfo, listTasks, taskInfo, taskPage } from "../../src/protocol/api/tasks.ts";
import { is } from "./equal.ts";

/** Written out, with everything read-only on both sides. */
type Plain<T> = T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;
type Of<Schema extends AnySchema> = Plain<InferOutput<Schema>>;

declare function value<T>(): T;

export function schemasAreTheContract(): void {
  is<Plain<TaskFailure>>()(value<Of<typeof taskFailure>>(), true);
  is<Plain<contract.JobListEntry>>()(value<Of<typeof jobListEntry>>(), true);
  is<Plain<contract.ListedJob>>()(value<Of<typeof listedJob>>(), true);
  is<Plain<contract.StageInfo>>()(value<Of<typeof stageInfo>>(), true);
  is<Plain<contract.JobInfo>>()(value<Of<typeof jobInfo>>(), true);
  is<Plain<Omit<contract.JobInfo, "inputs">>>()(value<Of<typeof jobProgress>>(), true);
  is<Plain<contract.JobResult>>()(value<Of<typeof jobResult>>(), true);
  is<Plain<contract.JobEvent>>()(value<Of<typeof jobEvent>>(), true);
  is<readonly [number, Plain<contract.JobEvent>]>()(value<Of<typeof eventLine>>(), true);
  is<Plain<contract.NodeInfo>>()(value<Of<typeof nodeInfo>>(), true);
  is<Plain<contract.AttemptInfo>>()(value<Of<typeof attemptInfo>>(), true);
  is<Plain<contract.TaskInfo>>()(value<Of<typeof taskInfo>>(), true);
  is<Plain<contract.TaskPage>>()(value<Of<typeof taskPage>>(), true);
  is<Plain<contract.Alarm>>()(value<Of<typeof alarm>>(), true);
  is<Plain<contract.MasterInfo>>()(value<Of<typeof masterInfo>>(), true);
  is<Plain<contract.MasterSettings>>()(value<Of<typeof masterSettings>>(), true);
  is<Plain<Partial<contract.MasterSettings>>>()(value<Of<typeof settingsChanges>>(), true);
  is<readonly (readonly [string, string])[]>()(value<Of<typeof configTable>>(), true);
  is<keyof contract.TaskQuery>()(value<keyof InferOutput<(typeof listTasks)["query"]>>(), true);
}
