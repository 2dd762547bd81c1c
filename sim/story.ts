/** What a master that does not get on has to say for itself. */
import type { MasterMachine } from "../src/core/master.ts";

export function storyOf(machine: MasterMachine | undefined): string {
  if (machine === undefined) return "there is no master";
  return JSON.stringify(
    [...machine.jobs.values()].map((job) => ({
      name: job.name,
      reasons: machine.reasons(job.name),
      counts: job.stages.map((stage) => [...stage.counts]),
      live: job.stages.map((stage) => [...stage.live]),
    })),
  );
}
