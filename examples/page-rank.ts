/**
 * PageRank, a loop of jobs in which each reads the results of the one before. A page passes its rank on to the pages that it
 * links to, in equal parts; the record of a page is its rank and its links.
 *
 *     npx disco run examples/page-rank.ts --params rounds=10
 */
import { chainReader, kvgroup, type Results, type RunContext } from "disco-mapreduce";

interface Page {
  readonly rank: number;
  readonly links: readonly string[];
}

/** How likely it is that somebody follows a link instead of starting anywhere. */
const damping = 0.85;

export default async function pageRank({ disco, params }: RunContext): Promise<Results<string, Page>> {
  let job = await disco.newJob("page_rank_0", {
    input: [`${import.meta.dirname}/data/links.txt`],
    map: (line) => {
      const [page = "", ...links] = line.split(" ");
      return [[page, { rank: 1, links } as Page] as const];
    },
    reduce: (pairs) => pairs,
  });
  for (let round = 1; round <= Number(params["rounds"] ?? 10); round++) {
    const before = job;
    job = await disco.newJob(`page_rank_${round}`, {
      input: await before.wait(),
      mapReader: chainReader,
      *map([page, { rank, links }]) {
        yield [page, { rank: 0, links }] as const;
        for (const link of links) yield [link, { rank: rank / links.length, links: [] as readonly string[] }] as const;
      },
      *reduce(pairs) {
        for (const [page, parts] of kvgroup(pairs)) {
          let received = 0;
          let links: readonly string[] = [];
          for (const part of parts) {
            received += part.rank;
            if (part.links.length > 0) links = part.links;
          }
          yield [page, { rank: 1 - damping + damping * received, links } as Page] as const;
        }
      },
      sort: true,
      partitions: 2,
    });
    await job.wait();
    await before.purge();
  }
  return job.wait();
}
