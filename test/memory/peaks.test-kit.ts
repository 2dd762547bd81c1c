/**
 * What the memory tests share. A job is run over a size of data that fills every buffer on its way several times, and over four
 * times as much. If memory depends on the size in any way, the second peak is higher: by the 3 parts of data that came on
 * top, or by the share of them that stays behind. A tenth of them is noticed; collections of garbage make less of a difference.
 */
import assert from "node:assert/strict";
import type { Disco, Job } from "../../src/index.ts";
import { openEngine } from "../faults/engine.test-kit.ts";

/** Of each worker. One that runs from source has 90 MB before it begins, 25 MB more than users' have. */
export const memoryLimitMB = 192;
const megabyte = 2 ** 20;
/** Bytes of data of a run of size 1. */
export const dataBytes = 64 * megabyte;
const times = 4;
/** Of the data that came on top. */
const leakShare = 1 / 10;

/** Starts the job over `times` times the data; the same functions each time. */
export type StartJob = (disco: Disco, times: number, scratch: string) => Promise<Job>;

/** The peak of the largest worker does not depend on the size, and is below the limit. */
export async function assertFlat(start: StartJob): Promise<void> {
  await using engine = await openEngine({ workers: 1 });
  const peakOf = async (size: number): Promise<number> => {
    const job = await start(engine.disco, size, engine.scratch);
    await job.wait({ timeout: 100 });
    const { peakRss } = await job.jobinfo();
    await job.purge();
    return peakRss;
  };
  // The worker is the same process all the time, and knows its functions and the collector's habits from the second run on.
  await peakOf(1);
  const once = await peakOf(1);
  assertGrowth(once, await peakOf(times));
}

/** `many` is the peak for four times the data of `once`, in bytes. */
export function assertGrowth(once: number, many: number): void {
  const allowed = dataBytes * (times - 1) * leakShare;
  const told = `${mega(once)} MB for ${mega(dataBytes)} MB of data, ${mega(many)} MB for ${times} times as much`;
  if (process.env["MEMORY_PEAKS"] !== undefined) console.log(told);
  assert.ok(many - once <= allowed, told);
  assert.ok(many <= memoryLimitMB * megabyte, `${told}: the limit is ${memoryLimitMB} MB`);
}

function mega(bytes: number): string {
  return (bytes / megabyte).toFixed(1);
}
