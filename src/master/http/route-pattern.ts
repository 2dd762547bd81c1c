/** A request's path as a label of metrics: from a closed list, so that no client can make new ones. */
const apiPatterns: readonly string[] = [
  "/api/v1/jobs",
  "/api/v1/jobs/:name",
  "/api/v1/jobs/:name/pack",
  "/api/v1/jobs/:name/stages/:stage/results",
  "/api/v1/jobs/:name/tasks",
  "/api/v1/jobs/:name/events",
  "/api/v1/jobs/:name/progress",
  "/api/v1/jobs/:name/oob",
  "/api/v1/jobs/:name/oob/:key",
  "/api/v1/jobs/:name/kill",
  "/api/v1/jobs/:name/clean",
  "/api/v1/jobs/:name/purge",
  "/api/v1/results",
  "/api/v1/nodes",
  "/api/v1/nodes/:name/blacklist",
  "/api/v1/nodes/:name/whitelist",
  "/api/v1/nodes/:name/gc-blacklist",
  "/api/v1/nodes/:name/gc-whitelist",
  "/api/v1/gc-blacklist",
  "/api/v1/master",
  "/api/v1/settings",
  "/api/v1/config",
  "/api/v1/openapi.json",
];
const byLength = Map.groupBy(
  apiPatterns.map((pattern) => ({ pattern, parts: pattern.slice(1).split("/") })),
  ({ parts }) => parts.length,
);

/** `known`: paths that are labels as they stand. */
export function routePattern(segments: readonly string[], known: ReadonlySet<string>): string {
  const path = `/${segments.join("/")}`;
  if (known.has(path)) return path;
  const [first, second, third = ""] = segments;
  if (first === "web") return "/web/:file";
  if (first === "proxy") return "/proxy/:node/:method/*";
  if (first === "ddfs") return ddfsPattern(second, segments);
  if (first === "api" && third === "ddfs") return `/api/v1${ddfsPattern(segments[3], segments.slice(2))}`;
  if (first === "disco") {
    if (second === "job" && segments.length === 3) return "/disco/job/*";
    return segments.length > 3 && /^[0-9a-f]{2}$/.test(third) ? "/disco/:node/:hh/:job/*" : "other";
  }
  const matching = byLength
    .get(segments.length)
    ?.find(({ parts }) => parts.every((part, i) => part.startsWith(":") || part === segments[i]));
  return matching?.pattern ?? "other";
}

const ddfsWords: ReadonlySet<string> = new Set(["tag", "tags", "new_blob", "ctrl", "gc", "scrub", "space", "fsck"]);

function ddfsPattern(what: string | undefined, { length }: readonly string[]): string {
  if (what === undefined) return "/ddfs";
  if (ddfsWords.has(what)) return length > 3 ? `/ddfs/${what}/:name/*` : `/ddfs/${what}/:name`;
  return length === 2 ? "/ddfs/:object" : "/ddfs/:volume/*";
}
