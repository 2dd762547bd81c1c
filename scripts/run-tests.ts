/**
 * Runs tests, from source: `node scripts/run-tests.ts PATTERN…`; options of `node --test` go before the patterns, as `--name=value`.
 *
 * A run starts thousands of processes: a file of tests is one, and what it tests starts engines, daemons and workers. Each of them
 * would strip the types of hundreds of sources and compile them, which was half of the run's processor time. So the first one's
 * work is kept for the others, in a directory of this run alone: what is measured does not depend on the run before.
 *
 * Even so most unit tests are over sooner than their process has loaded what they test. So files of one of the `groups` share a process,
 * each as a suite of its own, in which its hooks are its own as well. What a file changes in its process it puts back, as it does
 * for its own next test. A file alone is run as ever: `node --test FILE`.
 */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** For tests that say nothing else. */
const testMsMax = 300_000;
const testEnd = new URL("test-end.ts", import.meta.url).href;
const cache = mkdtempSync(join(tmpdir(), "disco-tests-"));
/** Folders of `src/` whose tests start nothing that would outlive them, by processes. */
const groups: readonly (readonly string[])[] = [
  ["client"],
  ["worker"],
  ["master"],
  ["node"],
  ["blobs", "bus", "ddfs", "http", "s3", "schemes", "settings", "shipping"],
  ["core", "fn", "protocol"],
  ["cli"],
];
// Those that end it do so by themselves: this process waits, and clears up.
const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const args = process.argv.slice(2);
const patterns = args.filter((arg) => !arg.startsWith("-"));
const files = globSync(patterns).sort();
if (files.length === 0) {
  rmSync(cache, { recursive: true });
  // Without files Node would run all that it finds.
  throw new Error(`there are no tests that match ${patterns.join(" ")}`);
}
const child = spawn(
  process.execPath,
  [
    "--conditions=disco-source",
    `--import=${testEnd}`,
    "--test",
    "--test-reporter=spec",
    `--test-timeout=${testMsMax}`,
    ...args.filter((arg) => arg.startsWith("-")),
    ...grouped(files),
  ],
  { stdio: "inherit", env: { ...process.env, NODE_COMPILE_CACHE: cache } },
);
for (const signal of signals) process.on(signal, () => child.kill(signal));
child.once("close", (code, signal) => {
  rmSync(cache, { recursive: true, force: true, maxRetries: 3 });
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});

/** The same tests in fewer files, the groups first: they take longest. */
function grouped(all: readonly string[]): string[] {
  const rest = new Set(all);
  const together: string[] = [];
  for (const folders of groups) {
    const members = all.filter((file) => folders.some((folder) => file.startsWith(join("src", folder, "/"))));
    if (members.length < 2) continue;
    for (const member of members) rest.delete(member);
    const path = join(cache, `${folders.join("-")}.test.mts`);
    const suites = members.map(
      (file) => `describe(${JSON.stringify(file)}, async () => void (await import(${urlOf(file)})));\n`,
    );
    writeFileSync(path, `import { describe } from "node:test";\n${suites.join("")}`);
    together.push(path);
  }
  return [...together, ...rest];
}

function urlOf(file: string): string {
  return JSON.stringify(pathToFileURL(resolve(file)).href);
}
