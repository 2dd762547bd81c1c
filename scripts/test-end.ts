/**
 * Loaded into the process of each file of tests (`run-tests.ts`). Such a process ends when nothing is left to do; where a test that
 * failed has left something (a process, a socket, a timer), it would never end, and nor would the run. So when the last test is
 * over it has a while, then it says what keeps it, and exits: what the tests' kits have started is killed by their `exit` handlers.
 */
import { after } from "node:test";
import { isMainThread } from "node:worker_threads";

const patienceMs = 30_000;

// Processes and threads that the tests start may load this file too.
if (isMainThread && /\.test\.m?ts$/.test(process.argv[1] ?? "")) {
  after(() => {
    setTimeout(() => {
      const kept = [...new Set(process.getActiveResourcesInfo())].join(", ");
      console.error(`${process.argv[1]}: its tests are over, and it does not end, because of: ${kept}`);
      process.exit(1);
    }, patienceMs).unref();
  });
}
