/**
 * Runs tests, from source: `node scripts/run-tests.ts PATTERN…`; options of `node --test` go before the patterns.
 *
 * A run starts thousands of processes: a file of tests is one, and what it tests starts engines, daemons and workers. Each of them
 * would strip the types of hundreds of sources and compile them, which was half of the run's processor time. So the first one's
 * work is kept for the others, in a directory of this run alone: what is measured does not depend on the run before.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

/** For tests that say nothing else. */
const testMsMax = 300_000;
const testEnd = new URL("test-end.ts", import.meta.url).href;
const cache = mkdtempSync(join(tmpdir(), "disco-tests-"));
// Those that end it do so by themselves: this process waits, and clears up.
const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const child = spawn(
  process.execPath,
  [
    "--conditions=disco-source",
    `--import=${testEnd}`,
    "--test",
    "--test-reporter=spec",
    `--test-timeout=${testMsMax}`,
    ...process.argv.slice(2),
  ],
  { stdio: "inherit", env: { ...process.env, NODE_COMPILE_CACHE: cache } },
);
for (const signal of signals) process.on(signal, () => child.kill(signal));
child.once("close", (code, signal) => {
  rmSync(cache, { recursive: true, force: true, maxRetries: 3 });
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});
