/** `disco node drain`, `disco node undrain`: taking nodes out of a cluster without losing what they hold. */
import { setTimeout as delay } from "node:timers/promises";
import type { Disco } from "../../client/disco.ts";
import type { NodeRemoval } from "../../client/master-api.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { formatCount } from "../progress/quantity.ts";
import { type StoreOptions, withDisco } from "./open-disco.ts";

export interface DrainOptions extends StoreOptions {
  /** Until tasks and active jobs have let go of the nodes. */
  readonly wait?: boolean;
}

const lookEveryMs = 1_000;

/** Starts no more tasks on the nodes, and says what each is still needed for. */
export async function drainNodes(names: readonly string[], options: DrainOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    for (const name of names) await disco.drain(name);
    const removals = await Promise.all(
      names.map((name) => (options.wait === true ? released(disco, name) : disco.removal(name))),
    );
    if (options.json === true) printJson(removals);
    else printLines(removals.map(sentenceOf));
  });
}

export async function undrainNodes(names: readonly string[], options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    for (const name of names) await disco.undrain(name);
    if (options.json === true) printJson(names);
    else printLines(names.map((name) => `${name} gets tasks`));
  });
}

/** When nothing runs there and no active job reads from it. Results of ended jobs stay until somebody purges them, or for good. */
async function released(disco: Disco, name: string): Promise<NodeRemoval> {
  for (;;) {
    const removal = await disco.removal(name);
    // Undrained by somebody else, it will never be free.
    if (!removal.draining || (removal.attempts === 0 && removal.jobs.length === 0)) return removal;
    await delay(lookEveryMs);
  }
}

/** What stands in the way of taking the node away, for people. */
export function sentenceOf({ host, draining, attempts, jobs, resultsOfJobs, safe }: NodeRemoval): string {
  if (safe) return `${host} can be taken away`;
  const needed = [
    ...(draining ? [] : ["it is not being drained"]),
    ...(attempts > 0 ? [`${formatCount(attempts)} tasks run or wait there`] : []),
    ...(jobs.length > 0 ? [`${formatCount(jobs.length)} active jobs may read from it`] : []),
    ...(resultsOfJobs > 0
      ? [`results of ${formatCount(resultsOfJobs)} jobs lie there: copy them, or purge the jobs`]
      : []),
  ];
  return `${host} cannot be taken away yet: ${needed.join(", ")}`;
}
