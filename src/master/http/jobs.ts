/** Jobs: submission, list, state, job pack. */
import type { JobInfo } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { wireTime } from "../../protocol/wire-time.ts";
import { jobName } from "./arguments.ts";
import { wireJobList } from "./job-list.ts";
import { bytes, json, type Route } from "./route.ts";

export const jobRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/disco/job/new",
    async handle({ body }, master) {
      try {
        return json(["ok", await master.submit(body)]);
      } catch (error) {
        if (!(error instanceof DiscoError)) throw error;
        // 200, since Disco's client looks for the reason there.
        return json(["error", `Job failed to start: ${error.message}`]);
      }
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/joblist",
    async handle(_request, master) {
      return json(wireJobList(await master.jobList()));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/jobinfo",
    async handle(request, master) {
      return json(wireJobInfo(await master.jobInfo(jobName(request))));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/parameters",
    async handle(request, master) {
      return bytes((await master.jobPack(jobName(request))).subarray(request.offset));
    },
  },
];

function wireJobInfo(info: JobInfo): object {
  return {
    timestamp: wireTime(info.submittedAt),
    active: info.status,
    // [stage, pending, waiting, running, done, failed]: what Disco calls pending is not yet planned; what is queued waits.
    pipeline: info.stages.map(({ stage, waiting, queued, running, done, failed }) => [
      stage,
      0,
      waiting + queued,
      running,
      done,
      failed,
    ]),
    results: info.results,
    inputs: info.inputs,
    worker: info.worker ?? "typescript",
    hosts: info.hosts,
    owner: info.owner,
  };
}
