import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { bugs } from "./bugs.ts";
import { firstFailure, runSeed } from "./run.ts";
import { runScale } from "./scale.ts";

/** Histories of one run of the tests. More by `node sim/run.ts --seeds N`. */
const seeds = 2_000;
/** Each bug shows within so many histories. */
const bugSeeds = 1_500;
/** Bugs that are tried at once. */
const atOnce = 2;

describe("the simulator", () => {
  it(`finds nothing wrong in ${seeds} histories`, () => {
    const failure = firstFailure(1, seeds);
    if (failure === null) return;
    throw new Error(`seed ${failure.seed} fails; run it by: node sim/run.ts --seed ${failure.seed}`, {
      cause: failure.error,
    });
  });

  it("plays the same history again for the same seed", () => {
    for (const seed of [3, 467, 5442]) assert.equal(runSeed(seed), runSeed(seed));
  });

  it("notices each of the bugs that are planted on purpose", async () => {
    const names = Object.keys(bugs);
    const missed: string[] = [];
    const work = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const script = fileURLToPath(new URL("./bugs.ts", import.meta.url));
        const child = spawn(process.execPath, [script, name, String(bugSeeds)], { stdio: "ignore" });
        const [code] = await once(child, "exit");
        if (code !== 0) missed.push(name);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    assert.deepEqual(missed, []);
  });

  it("ends a large job on many nodes without a step that grows with the number of tasks", () => {
    assert.ok(runScale(20_000, 200, 3).decisions > 40_000);
  });
});
