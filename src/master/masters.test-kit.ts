/** Masters on one journal, each with logs of its own, and a node that notes what it is told and refuses what is over. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBus } from "../bus/memory.ts";
import { jobSpec } from "../core/testing.ts";
import type { MemoryStore } from "../journal/memory.ts";
import { SlowJournal } from "../journal/slow.test-kit.ts";
import type { LineFeed } from "../lines/lines.ts";
import type { Assignment } from "../protocol/messages.ts";
import { Coordinator } from "./coordinator.ts";
import type { DiskRoom } from "./disk-room.ts";
import { EventLogs } from "./event-log.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { NodeLink } from "./node-link.ts";

export class NotingNode {
  readonly bus = new MemoryBus();
  readonly assigned: Assignment[] = [];
  /** What it answers assignments with. */
  refusal: Error | null = null;

  constructor() {
    this.bus.serve("node.h.assign", async (bytes) => {
      const { assignments } = JSON.parse(Buffer.from(bytes).toString()) as { assignments: Assignment[] };
      if (this.refusal !== null) throw this.refusal;
      this.assigned.push(...assignments);
      return undefined;
    });
    for (const what of ["cancel", "end-job", "stop-job", "drop-files", "resize"])
      this.bus.serve(`node.h.${what}`, async () => undefined);
  }
}

export class Master {
  readonly journal: SlowJournal;
  readonly signals = new JobSignals();
  readonly dataDir: string;
  readonly logs: EventLogs;
  readonly failures: string[] = [];
  coordinator!: Coordinator;

  private constructor(store: MemoryStore, dataDir: string) {
    this.journal = new SlowJournal(store);
    this.dataDir = dataDir;
    this.logs = new EventLogs(dataDir);
  }

  static async open(
    store: MemoryStore,
    node: NotingNode,
    options: { writer: string; dataDir?: string; lines?: LineFeed; room?: DiskRoom },
  ): Promise<Master> {
    const { writer, dataDir = mkdtempSync(join(tmpdir(), "disco-masters-")), lines, room } = options;
    const master = new Master(store, dataDir);
    master.coordinator = await Coordinator.follow({
      journal: master.journal,
      writer,
      nodes: new NodeLink(node.bus),
      logs: master.logs,
      files: new JobFiles(dataDir),
      signals: master.signals,
      progress: new LiveProgress(),
      keepAlive: new KeepAlive(),
      now: () => Date.now(),
      takeover: "continue",
      awaitNodes: false,
      leader: () => "http://leader:8989",
      failed: ({ code }) => master.failures.push(code),
      ...(lines === undefined ? {} : { lines }),
      ...(room === undefined ? {} : { room }),
    });
    return master;
  }

  join(): Promise<void> {
    const offer = { slots: 2, queueDepth: 4, labels: {}, attempts: [] };
    return this.coordinator.join({ host: "h", incarnation: "i", ...offer });
  }

  submit(job: string, key?: string): Promise<void> {
    return this.coordinator.submit(job, jobSpec({ inputs: 2, pipeline: ["split"] }), key);
  }

  async messages(job: string): Promise<string[]> {
    const messages: string[] = [];
    for await (const [, { message }] of this.logs.read(job, 0, { follow: false })) messages.push(message);
    return messages;
  }
}

/** Turns of the event loop, until it is so. */
export async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 1));
}
