/**
 * What the memory tests share. A job is run over a size of data that fills every buffer on its way several times, and over four
 * times as much. If memory depends on the size in any way, the second peak is higher: by the 3 parts of data that came on
 * top, or by the share of them that stays behind. A tenth of them is noticed. When V8 collects its garbage can make as much of a
 * difference, but not each time: what stays behind does so in every run.
 */
import assert from "node:assert/strict";
import type { Disco, Job } from "../../src/index.ts";
import { memoryShares } from "../../src/worker/memory-shares.ts";
import { openEngine } from "../faults/engine.test-kit.ts";

/** Of each worker. One that runs from source has 90 MB before it begins, 25 MB more than users' have. */
export const memoryLimitMB = 192;
const megabyte = 2 ** 20;
/** Bytes of data of a run of size 1. */
export const dataBytes = 64 * megabyte;
const times = 4;
/** Of the data that came on top. */
const leakShare = 1 / 10;
const allowedBytes = dataBytes * (times - 1) * leakShare;
const runsMax = 3;

/** Starts the job over `times` times the data; the same functions each time. */
export type StartJob = (disco: Disco, times: number, scratch: string) => Promise<Job>;

/**
 * What a merge may take of the limit, whatever the size. Few runs, as 64 MB are, do not take all of it, so that over four times as many
 * this comes on top.
 */
export const mergeBytes = memoryShares(memoryLimitMB * megabyte).inputBytes;

/** The peak of the largest worker does not depend on the size, but for `besides` bytes, and is below the limit. */
export async function assertFlat(start: StartJob, besides = 0): Promise<void> {
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
  let many = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runsMax && many - once > allowedBytes + besides; run++)
    many = Math.min(many, await peakOf(times));
  assertGrowth(once, many, besides);
}

/** `many` is the peak for four times the data of `once`, in bytes. */
export function assertGrowth(once: number, many: number, besides = 0): void {
  const told = `${mega(once)} MB for ${mega(dataBytes)} MB of data, ${mega(many)} MB for ${times} times as much`;
  if (process.env["MEMORY_PEAKS"] !== undefined) console.log(told);
  assert.ok(many - once <= allowedBytes + besides, told);
  assert.ok(many <= memoryLimitMB * megabyte, `${told}: the limit is ${memoryLimitMB} MB`);
}

function mega(bytes: number): string {
  return (bytes / megabyte).toFixed(1);
}
