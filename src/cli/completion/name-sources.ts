/**
 * Names of jobs and nodes for completion. A master is asked, for a moment at most; the jobs of a root without one are those
 * that have a directory there, so that nothing has to be opened or started while somebody waits for a key press.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { MasterApi } from "../../client/master-api.ts";
import type { ChosenMaster, MasterFlags } from "../master/choose-master.ts";
import { formatAge } from "../print/local-time.ts";
import type { Candidate, NameSources } from "./candidates.ts";

const answerTimeoutMs = 1500;
/** More than a screen of names helps nobody: the newest are shown, and more letters bring the others. */
const namesMax = 200;
const masterDirectory = "_master";
const nodeOfThisProcess = "localhost";

interface KnownJob {
  readonly name: string;
  readonly status: string;
  readonly submittedAt: number;
}

export function nameSources(flags: MasterFlags): NameSources {
  return {
    jobs: async (beginning) => {
      const jobs = await orNothing(jobsOf(flags));
      const found = jobs.filter(({ name }) => name.startsWith(beginning));
      return newestFirst(found).slice(0, namesMax).map(describeJob);
    },
    nodes: () =>
      orNothing(
        ask(flags, async (master) =>
          (await master.nodeInfo()).map(({ name, slots, blacklisted }) => {
            return { value: name, description: blacklisted ? "blacklisted" : `${slots} slots` };
          }),
        ).then((nodes) => nodes ?? [{ value: nodeOfThisProcess, description: "this process" }]),
      ),
    oobKeys: (job) =>
      orNothing(
        ask(flags, async (master) => {
          return (await master.oobList(job)).map((value) => ({ value, description: "" }));
        }).then((keys) => keys ?? []),
      ),
  };
}

async function choose(flags: MasterFlags): Promise<ChosenMaster> {
  const [{ chooseMaster }, { surroundings }] = await Promise.all([
    import("../master/choose-master.ts"),
    import("../master/surroundings.ts"),
  ]);
  return chooseMaster(flags, surroundings);
}

async function jobsOf(flags: MasterFlags): Promise<readonly KnownJob[]> {
  const master = await choose(flags);
  if (master.kind === "local") return storedJobs(master.root);
  return askRemote(master, (api) => api.jobList());
}

/** `null`: there is no master but the engine in this process, which is not opened for this. */
async function ask<T>(flags: MasterFlags, question: (master: MasterApi) => Promise<T>): Promise<T | null> {
  const master = await choose(flags);
  return master.kind === "local" ? null : askRemote(master, question);
}

async function askRemote<T>(master: ChosenMaster, question: (api: MasterApi) => Promise<T>): Promise<T> {
  const { connect } = await import("../commands/open-disco.ts");
  return question(await connect(master, { retrySeconds: 0 }).master());
}

async function storedJobs(root: string): Promise<KnownJob[]> {
  const top = join(root, "data", masterDirectory);
  const groups = await readdir(top);
  const lists = await Promise.all(groups.map((group) => readdir(join(top, group)).catch(() => [])));
  return lists.flat().map((name) => ({ name, status: "", submittedAt: timeOf(name) }));
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
