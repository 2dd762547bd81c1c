/**
 * `node sim/run.ts [--seed N] [--seeds N] [--from N]`: runs histories, and prints the first seed that fails. `--seed N` runs one,
 * with its error.
 */
import { parseArgs } from "node:util";
import { World } from "./world.ts";

/** For one in so many seeds there is a second history, in which stages run beside each other. */
const besideEvery = 4;

/** Runs one history to its end; throws what went wrong. Returns its number of steps. */
export function runSeed(seed: number): number {
  const worlds = seed % besideEvery === 0 ? [new World(seed), new World(seed, true)] : [new World(seed)];
  let steps = 0;
  for (const world of worlds) {
    world.run();
    steps += world.steps;
  }
  return steps;
}

/** The first seed that fails, and why. */
export function firstFailure(from: number, seeds: number): { seed: number; error: unknown } | null {
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      runSeed(seed);
    } catch (error) {
      return { seed, error };
    }
  }
  return null;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string", default: "2000" },
      from: { type: "string", default: "1" },
    },
  });
  if (values.seed !== undefined) {
    console.log(`seed ${values.seed}: ${runSeed(Number(values.seed))} steps, all is well`);
  } else {
    const began = performance.now();
    const failure = firstFailure(Number(values.from), Number(values.seeds));
    if (failure !== null) {
      console.error(failure.error);
      console.error(`seed ${failure.seed} fails; run it again by: node sim/run.ts --seed ${failure.seed}`);
      process.exitCode = 1;
    } else {
      const seconds = (performance.now() - began) / 1000;
      console.log(`${values.seeds} histories, all well, ${(Number(values.seeds) / seconds).toFixed(0)} a second`);
    }
  }
}
