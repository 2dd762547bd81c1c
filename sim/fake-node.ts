/**
 * A node with slots, a queue, a disk, and reports that it repeats until they are acknowledged. It runs fake tasks; what it
 * may do wrong is decided by the world.
 */

import type { InputLost, TaskDone, TaskFailed, TaskLost } from "../src/core/events.ts";
import type { OutputRef, StageManifest, TaskOutput } from "../src/core/job/spec.ts";
import type { TaskFailure } from "../src/errors.ts";
import type { Assignment, AttemptId } from "../src/protocol/messages.ts";
import type { Contents } from "./fake-job.ts";
import { compute, digestOf, select } from "./fake-job.ts";
import { takeAsTheyCome } from "./open-task.ts";
import type { World } from "./world.ts";

/** A task event, but for its time. */
export type Report = Omit<TaskDone, "at"> | Omit<TaskFailed, "at"> | Omit<TaskLost, "at"> | Omit<InputLost, "at">;

/** Outputs that a disk can hold: their places tell which disk they were on. */
export const writtenMax = 1_000_000;

/** A task that still runs after so long is told of. */
const toldAfterMs = 50;

/** Outputs by `file:at`. */
type Disk = Map<string, Contents>;

export class FakeNode {
  readonly host: string;
  /** What it offers. */
  readonly offered: number;
  /** What it may use. */
  slots: number;
  readonly queueDepth: number;
  incarnation = 1;
  /** The process runs. */
  up = true;
  /** Nothing gets to it or from it, while it goes on. */
  cut = false;
  /** Nothing gets to it. */
  deaf = false;
  /** Nothing gets from it. */
  mute = false;
  /** It is stopped, and finds what was sent meanwhile when it goes on. */
  paused = false;
  disk: Disk = new Map();
  readonly #world: World;
  readonly #have = new Map<string, Assignment>();
  readonly #running = new Set<string>();
  readonly #reports = new Map<string, Report>();
  readonly #manifests = new Map<string, StageManifest>();
  #epoch = 0;
  #written = 0;
  /** Rises with each start of the process: what was planned before has no effect after. */
  #life = 0;

  constructor(host: string, slots: number, queueDepth: number, world: World) {
    this.host = host;
    this.offered = slots;
    this.slots = slots;
    this.queueDepth = queueDepth;
    this.#world = world;
  }

  get reachable(): boolean {
    return this.hears && this.isHeard;
  }

  get hears(): boolean {
    return this.up && !this.cut && !this.deaf && !this.paused;
  }

  get isHeard(): boolean {
    return this.up && !this.cut && !this.mute && !this.paused;
  }

  /** Of its process. */
  get session(): string {
    return String(this.#life);
  }

  /** All that it has and that the master has not acknowledged. */
  attempts(): AttemptId[] {
    return [...this.#have.values(), ...this.#reports.values()].map(({ job, stage, task, attempt }) => ({
      job,
      stage,
      task,
      attempt,
    }));
  }

  reports(): Report[] {
    return [...this.#reports.values()];
  }

  assign(assignment: Assignment): void {
    if (!this.hears || assignment.epoch < this.#epoch) return;
    this.#epoch = assignment.epoch;
    const key = keyOf(assignment);
    const sentTo = this.#world.sentTo.get(key) ?? this.host;
    if (sentTo !== this.host) throw new Error(`${key} was sent to ${sentTo} and to ${this.host}`);
    this.#world.sentTo.set(key, this.host);
    if (this.#reports.has(key)) return;
    this.#have.set(key, assignment);
    this.#startSome();
  }

  cancel(id: AttemptId): void {
    if (!this.hears) return;
    this.#drop(keyOf(id));
    this.#startSome();
  }

  stopJob(job: string): void {
    if (!this.hears) return;
    for (const [key, { job: of }] of [...this.#have, ...this.#reports]) if (of === job) this.#drop(key);
    this.#startSome();
  }

  acknowledge(id: AttemptId): void {
    if (this.hears) this.#reports.delete(keyOf(id));
  }

  /** Hands back what it has not begun and has no slot for. */
  resize(slots: number): void {
    if (!this.hears) return;
    this.slots = slots;
    let queued = [...this.#have.values()].filter((one) => !this.#running.has(keyOf(one)));
    const places = Math.max(0, slots * this.queueDepth - this.#running.size);
    queued = queued.slice(places);
    for (const { job, stage, task, attempt } of queued) {
      const report: Report = { kind: "task-lost", job, stage, task, attempt, reason: "it was handed back" };
      this.#drop(keyOf(report));
      this.#reports.set(keyOf(report), report);
      this.#world.report(this, report);
    }
    this.#startSome();
  }

  crash(loseDisk: boolean): void {
    this.up = false;
    this.#life++;
    this.#have.clear();
    this.#running.clear();
    this.#reports.clear();
    this.#manifests.clear();
    this.#epoch = 0;
    this.slots = this.offered;
    if (!loseDisk) return;
    this.disk = new Map();
    this.incarnation++;
  }

  /** It died, and is there again, with its disk. */
  restart(): void {
    this.crash(false);
    this.up = true;
  }

  /** Deletes what the job has written. */
  drop(job: string): void {
    for (const key of this.disk.keys()) if (key.startsWith(`${job}/`)) this.disk.delete(key);
  }

  read(ref: OutputRef): Contents | undefined {
    return this.disk.get(`${ref.file}:${ref.at}`);
  }

  #drop(key: string): void {
    this.#have.delete(key);
    this.#running.delete(key);
    this.#reports.delete(key);
  }

  #startSome(): void {
    const life = this.#life;
    for (const [key, assignment] of this.#have) {
      if (this.#running.size >= this.slots) return;
      if (this.#running.has(key)) continue;
      this.#running.add(key);
      const { agenda } = this.#world;
      agenda.after(toldAfterMs, () => {
        if (life === this.#life && this.#running.has(key)) this.#world.began(this, assignment, toldAfterMs);
      });
      const runs = (): boolean => life === this.#life && this.#running.has(key);
      const end = (make: () => Report): void => {
        agenda.after(this.#world.taskMs(), () => {
          if (!runs()) return;
          const report = this.#world.mishap(assignment) ?? make();
          this.#drop(key);
          this.#reports.set(key, report);
          this.#world.report(this, report);
          this.#startSome();
        });
      };
      if (assignment.input.kind === "stage" && assignment.input.open === true)
        takeAsTheyCome(this.#world, this, assignment, runs, (read) => end(() => this.#after(assignment, read)));
      else end(() => this.#run(assignment));
    }
  }

  /** What becomes of a task that has read all that it reads. */
  #after({ job, stage, task, attempt, group }: Assignment, read: string[] | Report): Report {
    if (!Array.isArray(read)) return read;
    const fake = this.#world.fakeJob(job);
    const id = { job, stage, task, attempt };
    if (fake.poison === `${stage}/${task}`)
      return { kind: "task-failed", ...id, failure: failureOf("user-error", "poison", "here") };
    const output = this.#write({ ...id }, compute(fake, stage, read, attempt, group.label ?? 0));
    return { kind: "task-done", ...id, output };
  }

  #run(assignment: Assignment): Report {
    const { job, stage, task, input } = assignment;
    // Before it reads.
    if (this.#world.fakeJob(job).poison === `${stage}/${task}`) return this.#after(assignment, []);
    const read =
      input.kind === "inputs"
        ? input.inputs.map(({ replicas }) => `input ${(replicas[0] as string).split("/")[2]}`)
        : this.#readStage(assignment);
    return this.#after(assignment, read);
  }

  #readStage({ job, stage, task, attempt, input }: Assignment): string[] | Report {
    const id = { job, stage, task, attempt };
    if (input.kind !== "stage") return [];
    const key = `${job}/${input.stage}/${input.version}`;
    const manifest = this.#manifests.get(key) ?? this.#world.manifest(job, input.stage);
    if (manifest === null || this.cut) return { kind: "task-lost", ...id, reason: "the master gave no manifest" };
    this.#manifests.set(key, manifest);
    const outputs: { task: number; host: string; contents: Contents }[] = [];
    for (const { task: producer, ref } of manifest.outputs) {
      if (input.task !== undefined && input.task !== producer) continue;
      if (input.host !== undefined && input.host !== ref.host) continue;
      const contents = this.#world.fetch(this, ref);
      if (contents === undefined) {
        const failure = failureOf("data-error", "an input is gone", "elsewhere");
        return { kind: "input-lost", ...id, lost: { stage: input.stage, task: producer, ref }, failure };
      }
      outputs.push({ task: producer, host: ref.host, contents });
    }
    return select(input, outputs);
  }

  #write({ job, stage, task, attempt }: AttemptId, contents: Contents): TaskOutput {
    const file = `${job}/seg-${stage}`;
    const at = this.#written++ + this.incarnation * writtenMax;
    this.disk.set(`${file}:${at}`, contents);
    this.#world.written.set(`${this.host}:${file}:${at}`, contents);
    return {
      ref: { host: this.host, file, at, length: 1, digest: digestOf(contents) },
      labels: [...contents.keys()].map((label) => ({ label, bytes: 1, records: 1 })),
      index: `dir://${this.host}/${job}/${stage}/${task}#${attempt}`,
      recordsIn: 1,
      recordsOut: contents.size,
      bytesIn: 1,
      peakRss: 1,
    };
  }
}

export function keyOf({ job, stage, task, attempt }: AttemptId): string {
  return `${job}/${stage}/${task}/${attempt}`;
}

export function failureOf(code: string, message: string, retry: TaskFailure["retry"]): TaskFailure {
  return { code, name: "Error", message, retry };
}
