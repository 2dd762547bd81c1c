/** Processes that tests start end with the tests, also where a test failed before it could end them. */
import type { ChildProcess } from "node:child_process";

const living = new Set<ChildProcess>();

/** Kills it when this process ends, if it still runs then. */
export function killAtExit(child: ChildProcess): void {
  if (living.size === 0) process.on("exit", killAll);
  living.add(child);
  child.once("close", () => {
    living.delete(child);
    if (living.size === 0) process.off("exit", killAll);
  });
}

function killAll(): void {
  for (const child of living) child.kill("SIGKILL");
}
