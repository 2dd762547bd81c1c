/** A session as people read it: `>` is what the worker sends, `<` what it is answered, each message as it is on the wire. */
import type { Bench } from "./bench.ts";
import type { Run } from "./worker-run.ts";

/** Without what differs from run to run: process ids, times, ports and temporary directories. */
export function transcriptOf({ spoken, pid }: Run, bench: Bench): string[] {
  return spoken.map(({ by, frame }) => `${by === "worker" ? ">" : "<"} ${settled(frame, pid, bench)}`);
}

/** Lengths are those of what is shown. */
function settled(frame: Buffer, pid: number, bench: Bench): string {
  const [, name = "", json = ""] = /^(\S+) \d+ ([^]*)\n$/.exec(frame.toString("utf8")) ?? [];
  const shown = bench
    .settled(json)
    .replace(/\d{15,}/g, "1795451528811314354")
    .replace(new RegExp(`(?<="pid": ?|-)${pid}\\b`, "g"), "4711");
  return `${name} ${Buffer.byteLength(shown)} ${shown}`;
}
