/**
 * Timers that are waited for, which a new master has to set anew: those of sleeping tasks, of stages that wait for local slots, of
 * results that are saved again after a pause, and of nodes in quarantine.
 */
import type { JobMachine } from "./job/machine.ts";
import { timerKey } from "./job/retry.ts";
import { saveAgain, saveKey } from "./job/saving.ts";
import { sleeping } from "./job/stage.ts";
import type { Cluster } from "./scheduler/cluster.ts";
import { holdKey, isHeld } from "./scheduler/late-binding.ts";
import { quarantineKey } from "./scheduler/quarantine.ts";

export interface Timer {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function timersOf(jobs: Iterable<JobMachine>, cluster: Cluster): Timer[] {
  const timers: Timer[] = [];
  for (const { host, health } of cluster.quarantined)
    if (health !== null) timers.push({ key: quarantineKey(host, health.until), at: health.until });
  for (const job of jobs) {
    const { saving } = job;
    if (saving !== null && saving.wakeAt > 0) timers.push({ key: saveKey(job.name, saving.wakeAt), at: saving.wakeAt });
    for (const stage of job.stages) {
      if (isHeld(stage)) timers.push({ key: holdKey(job.name, stage.number, stage.heldUntil), at: stage.heldUntil });
      if (stage.count(sleeping) === 0) continue;
      for (const [task, { wakeAt }] of stage.troubles) {
        if (wakeAt > 0) timers.push({ key: timerKey(job.name, stage.number, task, wakeAt), at: wakeAt });
      }
    }
  }
  return timers;
}

/** A timer of the job is due. One that nobody waits for any more changes nothing. */
export function fire(job: JobMachine, key: string): void {
  const [, stage, what, at] = key.split("/");
  if (what === "hold") job.release(Number(stage), Number(at));
  else if (what === "save") saveAgain(job, Number(at));
  else job.wake(Number(stage), Number(what), Number(at));
}
