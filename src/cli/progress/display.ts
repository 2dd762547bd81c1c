/** Shows how the jobs of a run go, while they run. Two kinds: bars on a terminal, lines everywhere else. */
import type { JobInfo } from "../../client/master-api.ts";
import { BarDisplay } from "./bar-display.ts";
import { LineDisplay } from "./line-display.ts";
import { lookOf } from "./look.ts";

export interface ProgressDisplay {
  /** The state of one job: as it starts, now and then, and as it ends. */
  update(job: JobInfo): void;
  /** What is shown stays; updates say nothing from now on. */
  close(): void;
}

export type DisplayKind = "auto" | "none";

export function openDisplay(kind: DisplayKind): ProgressDisplay {
  if (kind === "none") return { update: () => {}, close: () => {} };
  const { stdout, stderr } = process;
  if (stderr.isTTY && process.env["TERM"] !== "dumb") return new BarDisplay(stderr, [stdout, stderr], lookOf(stderr));
  return new LineDisplay((line) => stderr.write(`${line}\n`));
}
