import { copyFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { textFiles } from "./data.ts";
import { cpuOf, inTurn, type Measured, measure, secondsOf } from "./measure.ts";
import type { Line, Question, Target } from "./question.ts";

const here = import.meta.dirname;
const fullBytes = 1e9;
/** 0.8 of the speed. */
const ratioMax = 1.25;

interface Report {
  readonly seconds: number;
}

export const p8: Question = {
  id: "P8",
  title: "DDFS push and pull of a file of 1 GB, one replica, through a daemon on this machine",
  target: "≥ 0.8× the speed of a bare node:http stream",
  async run({ factor, runs }) {
    const [file = ""] = textFiles(Math.floor(fullBytes * factor), 1);
    const daemon = await startDaemon();
    try {
      const env = { DISCO_MASTER: daemon.address, DISCO_ROOT: tmpdir() };
      const ddfs = (way: string) => () =>
        measure<Report>([process.execPath, join(here, "jobs/ddfs.ts"), way, file], { env, process: way });
      const bare = (way: string) => () =>
        measure<Report>([process.execPath, join(here, "baselines/http-stream.ts"), way, file], {
          process: `bare ${way}`,
        });
      const cp: number[] = [];
      const [push = [], put = [], pull = [], get = []] = await inTurn(
        runs,
        ddfs("push"),
        bare("put"),
        ddfs("pull"),
        bare("get"),
        async () => {
          cp.push(copied(file));
          return { ...nothing, report: { seconds: 0 } };
        },
      );
      const megabytes = (fullBytes * factor) / 1e6;
      const target = { kind: "ratio-max", value: ratioMax } as const;
      return {
        lines: [
          ...lines("push", push, "a bare PUT into a file, synced", put, target),
          ...lines("pull", pull, "a bare GET into a file", get, target),
          {
            name: "push, beside cp",
            unit: "s",
            values: secondsOf(push),
            baseline: { what: "cp", values: cp },
            again: "push",
          },
          { name: "push: throughput", unit: "MB/s", values: push.map(({ report }) => megabytes / report.seconds) },
          { name: "pull: throughput", unit: "MB/s", values: pull.map(({ report }) => megabytes / report.seconds) },
        ],
        memory: [],
      };
    } finally {
      await daemon.stop();
    }
  },
};

function lines(
  name: string,
  ours: readonly Measured<Report>[],
  what: string,
  theirs: readonly Measured<Report>[],
  target: Target,
): Line[] {
  return [
    { name, unit: "s", values: secondsOf(ours), baseline: { what, values: secondsOf(theirs) }, target },
    { name: `${name}: cpu of the client`, unit: "s", values: cpuOf(ours) },
  ];
}

const nothing = { wallSeconds: 0, cpuSeconds: 0, memory: [] };

/** Seconds. */
function copied(file: string): number {
  const copy = join(tmpdir(), `disco-copy-${process.pid}`);
  const started = performance.now();
  copyFileSync(file, copy);
  const seconds = (performance.now() - started) / 1000;
  rmSync(copy);
  return seconds;
}
