/** A master on a store that outlives it, with a node that notes what it is told: for tests of what comes after a crash. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { MemoryBus } from "../bus/memory.ts";
import { DiscoError } from "../errors.ts";
import type { StoredRecord } from "../journal/journal.ts";
import { MemoryStore, openMemoryJournal } from "../journal/memory.ts";
import { decodeJobPack, jobSpecOf } from "../protocol/jobpack.ts";
import type { Assignment, AttemptId } from "../protocol/messages.ts";
import { Coordinator } from "./coordinator.ts";
import { DiskRoom } from "./disk-room.ts";
import { EventLogs } from "./event-log.ts";
import { packOf } from "./fixtures/packs.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { NodeLink } from "./node-link.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-takeover-"));
after(() => rm(dataDir, { recursive: true, force: true }));

export class Store extends MemoryStore {
  full = false;

  override insert(record: StoredRecord): boolean {
    if (this.full) throw new DiscoError("no space left on device", { code: "disk-full" });
    return super.insert(record);
  }
}

/** Of a process that can die: then nothing is written any more. */
class Logs extends EventLogs {
  dead = false;

  override flush(): boolean {
    return this.dead || super.flush();
  }
}

/** Masters that died do not hold the process of the test. */
class NoKeepAlive extends KeepAlive {
  override acquire(): void {}
  override release(): void {}
}

/** A master on a store, with a node that notes what it is told. */
export class Master implements AsyncDisposable {
  readonly logs = new Logs(dataDir);
  readonly signals = new JobSignals();
  readonly assigned: Assignment[] = [];
  readonly told: string[] = [];
  readonly room: DiskRoom;
  readonly coordinator: Coordinator;
  freeBytes = 1e9;
  readonly #bus = new MemoryBus();
  #news: (() => void) | null = null;

  constructor(store: Store, { reserveBytes = 0 } = {}) {
    const room = new DiskRoom({ root: dataDir, reserveBytes, freeBytes: () => this.freeBytes });
    this.room = room;
    this.#bus.serve("node.h.assign", (bytes) => {
      const { assignments } = JSON.parse(Buffer.from(bytes).toString()) as { assignments: Assignment[] };
      this.assigned.push(...assignments);
      this.#news?.();
      return undefined;
    });
    for (const what of ["cancel", "end-job", "stop-job", "drop-files", "resize"]) {
      this.#bus.serve(`node.h.${what}`, (bytes) => {
        this.told.push(`${what} ${Buffer.from(bytes).toString()}`);
        this.#news?.();
        return undefined;
      });
    }
    this.coordinator = new Coordinator({
      journal: openMemoryJournal(store),
      writer: "test",
      nodes: new NodeLink(this.#bus),
      logs: this.logs,
      files: new JobFiles(dataDir),
      signals: this.signals,
      progress: new LiveProgress(),
      keepAlive: new NoKeepAlive(),
      now: () => Date.now(),
      takeover: "continue",
      room,
    });
  }

  join(attempts: readonly AttemptId[] = []): void {
    void this.coordinator.join({ host: "h", incarnation: "i", slots: 2, queueDepth: 4, labels: {}, attempts });
  }

  submit(tasks: number, key?: string): string {
    const spec = jobSpecOf(decodeJobPack(packOf(["map"], { tasks })).jobdict);
    assert.ok(spec !== undefined);
    const job = this.coordinator.machine.nextName("job", Date.now());
    void this.coordinator.submit(job, spec, key);
    return job;
  }

  async until(reached: () => boolean): Promise<void> {
    while (!reached()) await new Promise<void>((resolve) => (this.#news = resolve));
  }

  /** As if the process were killed now: what it had not written is lost. */
  die(): void {
    this.logs.dead = true;
    void this.#bus.close();
  }

  lines(job: string): { message: string; n?: number }[] {
    const file = this.logs.file(job);
    if (!existsSync(file)) return [];
    const text = readFileSync(file, "utf8").trimEnd();
    return text.split("\n").map((line) => JSON.parse(line) as { message: string; n?: number });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator.close();
  }
}
