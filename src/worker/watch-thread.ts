/**
 * A thread beside the task, which may run for hours without giving way. It does three things a few times a second: raises the
 * beat that paces progress reports, ends the process when its node is gone, and ends it when it needs more memory than
 * its job may have.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { WatchData } from "./watch.ts";

const { beat, limitKiB, parentPid } = workerData as WatchData;

const tickMs = 200;
/** Ticks between two looks at the parent: a system call, and nothing urgent. */
const parentTicks = 2;

for (let tick = 0; ; tick++) {
  Atomics.wait(beat, 1, 0, tickMs);
  Atomics.add(beat, 0, 1);
  if (tick % parentTicks === 0 && process.ppid !== parentPid) end();
  const limitBytes = Atomics.load(limitKiB, 0) * 1024;
  if (limitBytes > 0) {
    const rss = process.memoryUsage.rss();
    if (rss > limitBytes) {
      writeSync(2, `disco: out of memory: ${rss} bytes over the limit of ${limitBytes}\n`);
      end();
    }
  }
}

/** SIGKILL to all of the process's group, should it lead one, and to itself: nothing that runs in it may catch this. */
function end(): void {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // Not the leader of a group.
  }
  process.kill(process.pid, "SIGKILL");
}
