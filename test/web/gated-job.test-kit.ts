/** A job whose tasks wait until the test lets them go, one by one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Disco, Job } from "../../src/index.ts";

export interface GatedJob {
  readonly job: Job;
  /** Path of its page. */
  readonly path: string;
  /** Lets the first so many map tasks go. */
  open(tasks: number): Promise<void>;
}

/** Each map task writes `begun N`, waits, and writes `over N`. */
export async function gatedJob(disco: Disco, folder: string, tasks: number): Promise<GatedJob> {
  const gates = join(folder, `gates-${Math.random().toString(36).slice(2)}`);
  await mkdir(gates, { recursive: true });
  const job = await disco.newJob("gated", {
    input: Array.from({ length: tasks }, (_, i) => `raw://${i}`),
    params: { gates },
    async map(line, params): Promise<[string, number][]> {
      const { existsSync } = await import("node:fs");
      console.log(`begun ${line}`);
      while (!existsSync(`${params.gates}/${line}`)) await new Promise((resolve) => setTimeout(resolve, 20));
      console.log(`over ${line}`);
      return [[line, 1]];
    },
    *reduce(pairs) {
      for (const [key] of pairs) yield [key, 1] as const;
    },
  });
  return {
    job,
    path: pathOf(job.name),
    async open(count) {
      for (let i = 0; i < count; i++) await writeFile(join(gates, String(i)), "");
    },
  };
}

export function pathOf(job: string): string {
  return `/job.html?name=${encodeURIComponent(job)}`;
}
