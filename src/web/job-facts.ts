/** What there is to know about a job besides its stages. */
import type { JobInfo } from "../client/master-api.ts";
import { byId, element, setText } from "./dom.ts";
import { showFacts } from "./facts.ts";
import { bytes, count, duration, moment } from "./format.ts";
import { KeyedList } from "./keyed-list.ts";
import { masterNow } from "./master-clock.ts";

/** Addresses of results that are shown. */
const resultsMax = 200;

export type JobState = Omit<JobInfo, "inputs">;

const texts = (parent: HTMLElement): KeyedList<string> =>
  new KeyedList(
    parent,
    (text) => text,
    (text) => ({ node: element("li", {}, text), update: () => undefined }),
  );
const waits = texts(byId("waits", HTMLUListElement));
const results = texts(byId("results", HTMLUListElement));

export function showJobFacts(job: JobState): void {
  const until = job.endedAt ?? masterNow();
  showFacts(byId("facts", HTMLDListElement), [
    ["Owner", job.owner],
    ...(job.worker === undefined ? [] : ([["Worker", job.worker]] as const)),
    ["Submitted", moment(job.submittedAt)],
    [job.endedAt === null ? "For" : "Took", duration(until - job.submittedAt)],
    ["Running on", runningOn(job.hosts)],
    ["Largest worker", job.peakRss === 0 ? "–" : bytes(job.peakRss)],
  ]);
  waits.show([...new Set(job.waits)]);
  byId("results-section", HTMLElement).hidden = job.results.length === 0;
  results.show([...new Set(job.results)].slice(0, resultsMax));
  const more = job.results.length > resultsMax ? ` (${count(resultsMax)} of ${count(job.results.length)})` : "";
  const title = document.getElementById("results-title");
  if (title !== null) setText(title, `Results${more}`);
}

/** `n1 × 2, n2 × 1`. */
function runningOn(hosts: readonly string[]): string {
  if (hosts.length === 0) return "–";
  const counts = new Map<string, number>();
  for (const host of hosts) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].map(([host, tasks]) => `${host} × ${tasks}`).join(", ");
}
