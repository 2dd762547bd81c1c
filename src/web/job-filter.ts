/** Which jobs are listed; kept in the page's address, so that it can be sent to somebody. */
export interface JobFilter {
  readonly prefix: string;
  /** Empty: all. */
  readonly status: string;
  /** Only those older than this job. Empty: from the newest on. */
  readonly after: string;
}

/** Jobs a page. */
const pageJobs = 100;
const statuses: ReadonlySet<string> = new Set(["active", "ready", "dead"]);

export function filterOf(search: string): JobFilter {
  const query = new URLSearchParams(search);
  const status = query.get("status") ?? "";
  return {
    prefix: query.get("prefix") ?? "",
    status: statuses.has(status) ? status : "",
    after: query.get("after") ?? "",
  };
}

/** For the page's own address. */
export function pageQuery(filter: JobFilter): string {
  const query = parameters(filter).toString();
  return query === "" ? "" : `?${query}`;
}

/** For the API. */
export function listQuery(filter: JobFilter): string {
  const query = parameters(filter);
  query.set("limit", String(pageJobs));
  query.set("stages", "true");
  return query.toString();
}

function parameters({ prefix, status, after }: JobFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (prefix !== "") query.set("prefix", prefix);
  if (status !== "") query.set("status", status);
  if (after !== "") query.set("after", after);
  return query;
}
