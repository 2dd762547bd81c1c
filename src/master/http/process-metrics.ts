/** What the daemon's own process costs, and how promptly its event loop turns: everything it does waits for that. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metric } from "./metrics.ts";

/** Delays are sampled so often; each sample wakes the process. */
const sampleMs = 50;

export class ProcessWatch {
  readonly #delays = monitorEventLoopDelay({ resolution: sampleMs });

  constructor() {
    this.#delays.enable();
  }

  /** By quantile, in seconds, beyond the sampling interval; since the last time it was asked. */
  lag(): readonly (readonly [quantile: string, seconds: number])[] {
    const delays = this.#delays;
    const seconds = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / 1e9 - sampleMs / 1e3) : 0);
    const lag = [
      ["0.5", seconds(delays.percentile(50))],
      ["0.99", seconds(delays.percentile(99))],
      ["1", delays.count === 0 ? 0 : seconds(delays.max)],
    ] as const;
    delays.reset();
    return lag;
  }

  close(): void {
    this.#delays.disable();
  }
}

export const processMetrics: readonly Metric[] = [
  {
    name: "event_loop_lag_seconds",
    help: "Delay of the event loop since the last scrape; quantile 1 is the longest.",
    labels: ["quantile"],
    values: ({ process: watch }) => watch.lag().map(([quantile, seconds]) => [{ quantile }, seconds]),
  },
  {
    name: "memory_bytes",
    help: "Memory of the daemon's process, its workers not included: resident, JavaScript heap, buffers outside of it.",
    labels: ["kind"],
    values: () => {
      const { rss, heapUsed, external } = process.memoryUsage();
      return [
        [{ kind: "resident" }, rss],
        [{ kind: "heap" }, heapUsed],
        [{ kind: "external" }, external],
      ];
    },
  },
  {
    name: "cpu_seconds_total",
    help: "CPU time of the daemon's process, its workers not included.",
    values: () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  },
  {
    name: "start_time_seconds",
    help: "When the process started, in seconds since 1970.",
    values: () => [[{}, Math.round(performance.timeOrigin) / 1000]],
  },
];
