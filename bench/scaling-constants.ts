/**
 * The constants of `docs/scaling.md`: what a task, a job and a node cost in the journal, on the wire and in the master's memory.
 * `node bench/scaling-constants.ts` runs one large job and many small ones through the deciding core and measures what they leave.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { idOf, outputOf, specOf } from "../sim/scale.ts";
import type { Command } from "../src/core/commands.ts";
import type { MasterEvent } from "../src/core/events.ts";
import { MasterMachine } from "../src/core/master.ts";
import { snapshotMaster } from "../src/core/snapshot.ts";
import { encodeRecord, recordEventsMax } from "../src/journal/record.ts";
import type { Assignment, Heartbeat } from "../src/protocol/messages.ts";

const at = 1_700_000_000_000;
const largeTasks = 200_000;
const manyJobs = 10_000;
const nodes = 1_000;
const slots = 4;
const queueDepth = 2;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const rows: [what: string, value: number, unit: string][] = [];
const row = (what: string, value: number, unit: string): unknown => rows.push([what, value, unit]);

/** Bytes of the journal for these events, with as many in a record as fit. */
function journalBytes(events: readonly MasterEvent[]): number {
  let bytes = 0;
  for (let from = 0, seq = 1; from < events.length; from += recordEventsMax, seq++) {
    const record = { seq, prevHash: "0".repeat(64), epoch: 1, writer: "host-1234-abcdef", nonce: String(seq) };
    bytes += encodeRecord({ ...record, events: events.slice(from, from + recordEventsMax) }).length;
  }
  return bytes;
}

/** A master with nodes, whose tasks end in the order in which they were assigned. */
class Play {
  readonly master = new MasterMachine();
  readonly waiting: { readonly assignment: Assignment; readonly host: string }[] = [];
  /** Of everything since `forget`. */
  assigns: MasterEvent[] = [];
  ends: MasterEvent[] = [];
  assignmentBytes = 0;

  join(): void {
    for (let n = 0; n < nodes; n++) {
      const url = `http://node${n}.example:8989`;
      const session = `${n}-0123456789abcdef`;
      const node = {
        host: `node${n}`,
        incarnation: `0123456789abcdef${n}`,
        url,
        session,
        slots,
        queueDepth,
        labels: {},
      };
      this.#handle({ kind: "node-joined", at, ...node });
    }
  }

  submit(tasks: number, job: number): string {
    const spec = specOf(tasks, nodes, job);
    const name = this.master.nextName(spec.prefix, at);
    this.#handle({ kind: "job-submitted", at, job: name, spec });
    return name;
  }

  /** Ends so many attempts. */
  end(count: number): void {
    for (const { assignment, host } of this.waiting.splice(0, count)) {
      const event: MasterEvent = {
        kind: "task-done",
        at,
        ...idOf(assignment),
        output: outputOf(assignment, host),
        ranMs: 900,
      };
      this.ends.push(event);
      this.#handle(event);
    }
  }

  #handle(event: MasterEvent): void {
    this.#carry(this.master.handle(event));
    const scheduled = this.master.schedule(at);
    if (scheduled === null) return;
    this.assigns.push(scheduled.event);
    this.#carry(scheduled.commands);
  }

  #carry(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.kind !== "assign") continue;
      for (const assignment of command.assignments) this.waiting.push({ assignment, host: command.host });
    }
  }
}

function measureLargeJob(): void {
  const play = new Play();
  const empty = heapBytes();
  play.join();
  const joined = heapBytes();
  row("master: memory of a node", (joined - empty) / nodes, "bytes");
  const name = play.submit(largeTasks, 0);
  const waiting = heapBytes();
  row("master: memory of a waiting task, its input with one replica", (waiting - joined) / largeTasks, "bytes");
  const first = play.waiting[0];
  if (first !== undefined) row("wire: an assignment", jsonBytes(first.assignment), "bytes");
  const places = nodes * slots * queueDepth;
  const count = largeTasks - places;
  for (let done = 0; done < count; done += places) {
    play.end(Math.min(places, count - done));
    if (done > 0) continue;
    row("journal: assignment of a task", journalBytes(play.assigns) / (2 * places), "bytes");
    row("journal: end of a task with outputs of 8 labels", journalBytes(play.ends) / play.ends.length, "bytes");
  }
  play.assigns = [];
  play.ends = [];
  row("master: memory of a done task more than of a waiting one", (heapBytes() - waiting) / count, "bytes");
  row("snapshot: a task", jsonBytes(snapshotMaster(play.master)) / largeTasks, "bytes");
  play.end(places);
  row("manifest: an output", jsonBytes(play.master.manifest(name, 0)) / largeTasks, "bytes");
  while (play.waiting.length > 0) play.end(places);
}

function measureManyJobs(): void {
  const play = new Play();
  play.join();
  const tasks = 10;
  const before = heapBytes();
  for (let n = 0; n < manyJobs; n++) play.submit(tasks, n);
  row(`master: memory of an active job of ${tasks} tasks`, (heapBytes() - before) / manyJobs, "bytes");
  while (play.waiting.length > 0) play.end(10_000);
  play.assigns = [];
  play.ends = [];
  row(`master: memory of an ended job of ${tasks} tasks`, (heapBytes() - before) / manyJobs, "bytes");
  row("snapshot: an ended job", jsonBytes(snapshotMaster(play.master)) / manyJobs, "bytes");
}

const beat: Heartbeat = {
  host: "node123.example",
  session: "0123456789abcdef01234567",
  epoch: 12,
  running: 4,
  diskFreeBytes: 123_456_789_012,
  diskUsedBytes: 123_456_789_012,
  memoryFreeBytes: 12_345_678_901,
  memoryTotalBytes: 34_567_890_123,
};
row("wire: a heartbeat", jsonBytes(beat), "bytes");
measureLargeJob();
measureManyJobs();
const width = Math.max(...rows.map(([what]) => what.length));
for (const [what, value, unit] of rows) console.log(`${what.padEnd(width)}  ${value.toFixed(0).padStart(7)} ${unit}`);
