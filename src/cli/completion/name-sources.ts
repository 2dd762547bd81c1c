/**
 * Names of jobs, nodes and tags for completion. A master is asked, for a moment at most; the jobs of a root without one are those
 * that have a directory there, so that nothing has to be opened or started while somebody waits for a key press.
 */
import type { NodeInfo } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import type { ChosenMaster, MasterFlags } from "../master/choose-master.ts";
import { formatAge } from "../print/local-time.ts";
import type { Candidate, NameSources } from "./candidates.ts";

const answerTimeoutMs = 1500;
/** More than a screen of names helps nobody: the newest are shown, and more letters bring the others. */
const namesMax = 200;
const nodeOfThisProcess = "localhost";

type RemoteMaster = Extract<ChosenMaster, { readonly kind: "remote" }>;

interface KnownJob {
  readonly name: string;
  readonly status: string;
  readonly submittedAt: number;
}

export function nameSources(flags: MasterFlags): NameSources {
  return {
    jobs: (beginning) => orNothing(jobsOf(flags, beginning)),
    nodes: () => orNothing(nodesOf(flags)),
    oobKeys: (job) => orNothing(keysOf(flags, job)),
    tags: (beginning) => orNothing(tagsOf(flags, beginning)),
  };
}

async function jobsOf(flags: MasterFlags, beginning: string): Promise<readonly Candidate[]> {
  const master = await choose(flags);
  if (master.kind === "local") {
    const stored = (await storedJobs(master.root)).filter(({ name }) => name.startsWith(beginning));
    return newestFirst(stored).slice(0, namesMax).map(describeJob);
  }
  const query = new URLSearchParams({ limit: String(namesMax), ...(beginning === "" ? {} : { prefix: beginning }) });
  const { jobs } = await ask<{ readonly jobs: readonly KnownJob[] }>(master, `jobs?${query}`);
  return jobs.map(describeJob);
}

async function nodesOf(flags: MasterFlags): Promise<readonly Candidate[]> {
  const master = await choose(flags);
  if (master.kind === "local") return [{ value: nodeOfThisProcess, description: "this process" }];
  const { nodes } = await ask<{ readonly nodes: readonly NodeInfo[] }>(master, "nodes");
  return nodes.map(({ name, slots, blacklisted }) => {
    return { value: name, description: blacklisted ? "blacklisted" : `${slots} slots` };
  });
}

/** Of the engine in the command none are offered: it would have to be opened for them. */
async function keysOf(flags: MasterFlags, job: string): Promise<readonly Candidate[]> {
  const master = await choose(flags);
  if (master.kind === "local") return [];
  const { keys } = await ask<{ readonly keys: readonly string[] }>(master, `jobs/${encodeURIComponent(job)}/oob`);
  return keys.map((value) => ({ value, description: "" }));
}

/** Those of a root without a daemon stand in its journal, which is opened for them: nothing else knows them. */
async function tagsOf(flags: MasterFlags, beginning: string): Promise<readonly Candidate[]> {
  const scheme = beginning.startsWith("tag://") ? "tag://" : "";
  const { withDdfs } = await import("../ddfs/open-ddfs.ts");
  const tags = await withDdfs(flags, ({ api }) => api.tags(beginning.slice(scheme.length)));
  return tags.slice(0, namesMax).map((name) => ({ value: scheme + name, description: "" }));
}

/** A plain question: the client that tries again and checks every answer takes longer to load than a key press may take. */
async function ask<T>(master: RemoteMaster, path: string): Promise<T> {
  const [{ httpGet }, { masterAddress }] = await Promise.all([
    import("../daemon/http-get.ts"),
    import("../../client/address.ts"),
  ]);
  const base = masterAddress(master.address)?.urls[0] ?? "";
  const answer = await httpGet(`${base}/api/v1/${path}`, master.client.token());
  if (answer.kind === "answer" && answer.status === 200) return answer.body as T;
  throw new DiscoError(`no answer to ${path}`);
}

async function choose(flags: MasterFlags): Promise<ChosenMaster> {
  const [{ chooseMaster }, { surroundings }] = await Promise.all([
    import("../master/choose-master.ts"),
    import("../master/surroundings.ts"),
  ]);
  return chooseMaster(flags, surroundings);
}

async function storedJobs(root: string): Promise<KnownJob[]> {
  const { storedNames } = await import("../master/stored-jobs.ts");
  return (await storedNames(root)).map((name) => ({ name, status: "", submittedAt: timeOf(name) }));
}

/** Names end in the time of their submission, as Disco writes it: mega-seconds, seconds, microseconds, in hexadecimal. */
function timeOf(name: string): number {
  const [, mega = "0", seconds = "0", micro = "0"] = /@([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)$/i.exec(name) ?? [];
  return (Number.parseInt(mega, 16) * 1e6 + Number.parseInt(seconds, 16)) * 1000 + Number.parseInt(micro, 16) / 1000;
}

function newestFirst(jobs: readonly KnownJob[]): KnownJob[] {
  return [...jobs].sort((a, b) => b.submittedAt - a.submittedAt);
}

function describeJob({ name, status, submittedAt }: KnownJob): Candidate {
  const age = `${formatAge(Date.now() - submittedAt)} ago`;
  return { value: name, description: status === "" ? age : `${status}, ${age}` };
}

async function orNothing<T>(names: Promise<readonly T[]>): Promise<readonly T[]> {
  const { promise: late, resolve } = Promise.withResolvers<readonly T[]>();
  const timer = setTimeout(resolve, answerTimeoutMs, []);
  try {
    return await Promise.race([names, late]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
