/** How long opening a journal takes in which 100,000 tasks have just ended. Printed; the limit is two seconds. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Command } from "../core/commands.ts";
import type { JobSpec, TaskOutput } from "../core/job/spec.ts";
import type { Assignment } from "../protocol/messages.ts";
import { Ledger } from "./ledger.ts";
import type { LocalJournal } from "./local.ts";
import { openSqliteJournal } from "./sqlite.ts";

const tasks = 100_000;
const openMsMax = 2_000;
/** A machine that is busy with something else is given another chance. */
const tries = 3;
const folder = mkdtempSync(join(tmpdir(), "disco-start-up-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const spec: JobSpec = {
  prefix: "job",
  owner: "me",
  inputs: Array.from({ length: tasks }, (_, i) => ({
    label: 0,
    size: 1_000,
    replicas: [`/data/of/somebody/part-${i}.txt`],
    hosts: [null],
  })),
  pipeline: [
    { name: "map", grouping: "split" },
    { name: "reduce", grouping: "group_label" },
  ],
  scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false },
  retries: 3,
  taskTimeoutMs: null,
  memoryLimitBytes: 2 ** 30,
  labels: {},
  keep: false,
};

function outputOf(task: number): TaskOutput {
  return {
    ref: {
      host: "h",
      file: "h/ab/job@1:2:3/.disco/seg-m1x2y3-1.seg",
      at: task * 512,
      length: 512,
      digest: "0123456789abcdef0123456789abcdef",
    },
    labels: [0, 1, 2, 3].map((label) => ({ label, bytes: 128, records: 10 })),
    recordsIn: 10,
    recordsOut: 40,
    bytesIn: 1_000,
    peakRss: 100_000_000,
    oob: [],
  };
}

/** Has all tasks but one run to their end, reported so many at a time. */
function fill(journal: LocalJournal, together: number): Ledger {
  const waiting: Assignment[] = [];
  const carryOut = (commands: readonly Command[]): void => {
    for (const command of commands) if (command.kind === "assign") waiting.push(...command.assignments);
  };
  const ledger = Ledger.open({ journal, writer: "w", now: () => 1, carryOut });
  const host = { host: "h", incarnation: "x", slots: 2, queueDepth: 32, labels: {} };
  ledger.record({ kind: "node-joined", at: 1, ...host });
  ledger.record({ kind: "job-submitted", at: 1, job: "job@1:2:3", spec });
  ledger.flush();
  for (let done = 0; done < tasks - together; done += together) {
    for (const { job, stage, task, attempt } of waiting.splice(0, together)) {
      ledger.record({ kind: "task-done", at: 1, job, stage, task, attempt, output: outputOf(task) });
    }
    ledger.flush();
  }
  return ledger;
}

describe(`opening the journal of a job of ${tasks} tasks`, () => {
  for (const together of [1, 32]) {
    it(`takes at most ${openMsMax} ms when ${together} tasks were reported at a time`, (t) => {
      const file = join(folder, `journal-${together}.sqlite`);
      const journal = openSqliteJournal(file);
      const before = fill(journal, together);
      const left = before.machine.info("job@1:2:3")?.stages[0];
      before.leave();
      journal.closeSync();
      const times = Array.from({ length: tries }, () => {
        const start = performance.now();
        const opened = openSqliteJournal(file);
        const ledger = Ledger.open({ journal: opened, writer: "next", now: () => 2, carryOut: () => undefined });
        const ms = performance.now() - start;
        assert.deepEqual(ledger.machine.info("job@1:2:3")?.stages[0], left);
        ledger.leave();
        opened.closeSync();
        return ms;
      });
      t.diagnostic(`opened in ${times.map((ms) => ms.toFixed(0)).join(", ")} ms`);
      assert.ok(Math.min(...times) <= openMsMax, `${Math.min(...times)} ms`);
    });
  }
});
