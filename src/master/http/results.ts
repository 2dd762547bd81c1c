/** Results of jobs and of stages. Each output is a list of replicas; ours have one. Saved results are a tag, as it is. */
import type { JobResult } from "../../client/master-api.ts";
import { brief, checkedJobName, jobName, jsonBody, queryParameter } from "./arguments.ts";
import { heldResults } from "./held-results.ts";
import { BadRequest, json, type Route } from "./route.ts";

const namesMax = 10_000;
const timeoutMsMax = 24 * 3_600_000;

export const resultRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/disco/ctrl/get_results",
    async handle(request, master) {
      const [timeoutMs, names] = resultsArguments(jsonBody(request));
      return json((await heldResults(master, names, timeoutMs, request.signal)).map(wireResult));
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/get_stageresults",
    async handle(request, master) {
      const urls = await master.stageResults(jobName(request), queryParameter(request, "stage"));
      return json(urls.map((url) => [url]));
    },
  },
];

function resultsArguments(value: unknown): [number, string[]] {
  const [timeoutMs, names] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof timeoutMs !== "number" || !Number.isInteger(timeoutMs) || timeoutMs < 0) {
    throw new BadRequest(`[milliseconds, [name, …]] expected, '${brief(value)}' received`);
  }
  if (!Array.isArray(names) || names.length > namesMax || !names.every((name) => typeof name === "string")) {
    throw new BadRequest(`a list of at most ${namesMax} job names expected, '${brief(names)}' received`);
  }
  return [Math.min(timeoutMs, timeoutMsMax), names.map(checkedJobName)];
}

function wireResult({ name, status, results }: JobResult): unknown {
  return [name, [status === "unknown_job" ? "unknown job" : status, results.map(wireOutput)]];
}

/** A tag stands for many outputs: within a list it would be taken for one. */
function wireOutput(url: string): string | [string] {
  return url.startsWith("tag://") ? url : [url];
}
