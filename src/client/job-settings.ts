/** The limits and defaults of a job's options; what a validated job dict is, with its defaults filled in. */
import type { SchedulerSpec } from "../core/job/spec.ts";
import type { AnyJobOptions } from "./job-options.ts";

export const partitionsMax = 1_000_000;
export const retriesMax = 1000;
export const concurrencyMax = 10_000;
export const memoryLimitMinMB = 128;
export const memoryLimitMaxMB = 1024 * 1024;
export const splitBytesMin = 1024 * 1024;
export const maxCoresDefault = 2 ** 31;

const megabyte = 1024 * 1024;

/** Options that are values, with their defaults. */
export interface JobSettings {
  readonly scheduler: SchedulerSpec;
  readonly retries: number;
  readonly taskTimeoutMs: number | null;
  readonly memoryLimitBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly keep: boolean;
  readonly statusInterval: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly splitBytes: number;
  readonly prefix: string;
}

export function settingsOf(options: AnyJobOptions): JobSettings {
  const { scheduler = {}, taskTimeout = null } = options;
  return {
    scheduler: {
      maxCores: scheduler.maxCores ?? maxCoresDefault,
      forceLocal: scheduler.forceLocal ?? false,
      forceRemote: scheduler.forceRemote ?? false,
    },
    retries: options.retries ?? 3,
    taskTimeoutMs: taskTimeout === null ? null : Math.ceil(taskTimeout * 1000),
    memoryLimitBytes: memoryLimitOf(options),
    labels: { ...options.labels },
    keep: options.keep ?? false,
    statusInterval: options.statusInterval ?? 100_000,
    seed: options.seed ?? 0,
    concurrency: options.concurrency ?? 16,
    splitBytes: options.splitBytes ?? 64 * megabyte,
    prefix: options.prefix ?? options.name ?? "job",
  };
}

/** In bytes. */
export function memoryLimitOf(options: AnyJobOptions): number {
  return Math.round((options.memoryLimit ?? 1024) * megabyte);
}
