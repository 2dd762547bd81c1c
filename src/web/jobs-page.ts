/** The list of jobs. */
import type { ListedJob } from "../client/master-api.ts";
import { ask } from "./api.ts";
import { followCluster } from "./cluster-line.ts";
import { byId, setText } from "./dom.ts";
import { counted } from "./format.ts";
import { filterOf, type JobFilter, listQuery, pageQuery } from "./job-filter.ts";
import { jobRow } from "./job-row.ts";
import { KeyedList } from "./keyed-list.ts";
import { Live } from "./live.ts";

const refreshMs = 2_000;

const prefix = byId("prefix", HTMLInputElement);
const status = byId("status", HTMLSelectElement);
const shown = byId("shown", HTMLSpanElement);
const empty = byId("empty", HTMLParagraphElement);
const older = byId("older", HTMLButtonElement);
const newest = byId("newest", HTMLButtonElement);

let filter: JobFilter = filterOf(location.search);
let next: string | null = null;
prefix.value = filter.prefix;
status.value = filter.status;

const jobs = new KeyedList<ListedJob>(byId("jobs", HTMLTableSectionElement), ({ name }) => name, jobRow);

const list = new Live({
  source: "jobs",
  round: async ({ signal, alive }) => {
    const answer = await ask<{ jobs: ListedJob[]; next: string | null }>(`/jobs?${listQuery(filter)}`, { signal });
    alive();
    if (!signal.aborted) show(answer.jobs, answer.next);
    return refreshMs;
  },
  // Only an address that somebody typed has a name that is none.
  refused: () => location.assign("/"),
});
followCluster();

function show(page: readonly ListedJob[], following: string | null): void {
  next = following;
  jobs.show(page);
  const isFiltered = filter.prefix !== "" || filter.status !== "";
  empty.hidden = page.length > 0;
  setText(empty, isFiltered ? "No job is like that." : "No jobs yet. `disco run job.ts` starts one.");
  setText(shown, counted(page.length, "job") + (following === null ? "" : ", and older ones"));
  older.hidden = following === null;
  newest.hidden = filter.after === "";
}

function change(changes: Partial<JobFilter>): void {
  filter = { ...filter, ...changes };
  history.replaceState(null, "", `/${pageQuery(filter)}`);
  list.again();
}

prefix.addEventListener("input", () => change({ prefix: prefix.value.trim(), after: "" }));
status.addEventListener("input", () => change({ status: status.value, after: "" }));
older.addEventListener("click", () => change({ after: next ?? "" }));
newest.addEventListener("click", () => change({ after: "" }));
byId("filter", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  prefix.focus();
});
