/**
 * What a master's start costs the core: `node sim/startup.ts [tasks] [jobs]` makes a master in the middle of its work (a third of
 * the tasks done, others running, waiting or failed), and prints how long it takes to write and read its snapshot and to replay
 * the events after it. The journal's own part (disk, hashes) is not in it.
 */
import type { Command } from "../src/core/commands.ts";
import type { MasterEvent } from "../src/core/events.ts";
import { MasterMachine } from "../src/core/master.ts";
import type { MasterSnapshot } from "../src/core/snapshot.ts";
import { restoreMaster, snapshotMaster } from "../src/core/snapshot.ts";
import type { Assignment } from "../src/protocol/messages.ts";
import { failureOf } from "./fake-node.ts";
import { outputOf, specOf } from "./scale.ts";

const nodes = 8;
const slots = 8;
/** Events that are replayed after the snapshot: as many as a journal has before it takes the next one, at one a record. */
const eventsAfter = 10_000;

export interface StartupResult {
  readonly snapshotMb: number;
  readonly writeMs: number;
  readonly parseMs: number;
  readonly restoreMs: number;
  readonly replayMs: number;
}

export function runStartup(tasks: number, jobs: number): StartupResult {
  const master = new MasterMachine();
  const runs: { assignment: Assignment; host: string }[] = [];
  const events: MasterEvent[] = [];
  let at = 1_700_000_000_000;
  const see = (commands: readonly Command[]): void => {
    for (const command of commands) {
      if (command.kind === "assign")
        for (const assignment of command.assignments) runs.push({ assignment, host: command.host });
    }
  };
  const handle = (event: MasterEvent): void => {
    at++;
    events.push(JSON.parse(JSON.stringify(event)) as MasterEvent);
    see(master.handle(event));
    const scheduled = master.schedule(at);
    if (scheduled === null) return;
    events.push(JSON.parse(JSON.stringify(scheduled.event)) as MasterEvent);
    see(scheduled.commands);
  };
  for (let n = 0; n < nodes; n++)
    handle({ kind: "node-joined", at, host: `node${n}`, incarnation: "1", slots, queueDepth: 2, labels: {} });
  for (let n = 0; n < jobs; n++) {
    const spec = specOf(Math.ceil(tasks / jobs), nodes, n);
    handle({ kind: "job-submitted", at, job: master.nextName(spec.prefix, at), spec });
  }
  let next = 0;
  const live = (until: number): void => {
    for (; next < until; next++) {
      const { assignment, host } = runs[next] as (typeof runs)[number];
      const { job, stage, task, attempt } = assignment;
      const id = { job, stage, task, attempt };
      if (next % 50 === 0)
        handle({ kind: "task-failed", at, ...id, failure: failureOf("comm-error", `${next}`, "here") });
      else handle({ kind: "task-done", at, ...id, output: outputOf(assignment, host) });
    }
  };
  live(Math.floor(tasks / 3));
  let began = performance.now();
  const text = JSON.stringify(snapshotMaster(master));
  const writeMs = performance.now() - began;
  events.length = 0;
  live(next + eventsAfter / 2);
  began = performance.now();
  const parsed = JSON.parse(text) as MasterSnapshot;
  const parseMs = performance.now() - began;
  began = performance.now();
  const restored = restoreMaster(parsed);
  const restoreMs = performance.now() - began;
  began = performance.now();
  for (const event of events) restored.handle(event);
  const replayMs = performance.now() - began;
  if (JSON.stringify(snapshotMaster(restored)) !== JSON.stringify(snapshotMaster(master)))
    throw new Error("the restored master is in another state");
  return { snapshotMb: text.length / 2 ** 20, writeMs, parseMs, restoreMs, replayMs };
}

if (import.meta.main) {
  const [tasks = 100_000, jobs = 1] = process.argv.slice(2).map(Number);
  const { snapshotMb, writeMs, parseMs, restoreMs, replayMs } = runStartup(tasks, jobs);
  const startMs = parseMs + restoreMs + replayMs;
  console.log(
    `${tasks} tasks in ${jobs} jobs: start ${startMs.toFixed(0)} ms (parse ${parseMs.toFixed(0)}, restore ${restoreMs.toFixed(0)}, ` +
      `replay of ${eventsAfter} events ${replayMs.toFixed(0)}); snapshot ${snapshotMb.toFixed(1)} MB, written in ${writeMs.toFixed(0)} ms`,
  );
}
