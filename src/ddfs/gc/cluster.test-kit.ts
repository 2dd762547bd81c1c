/** A cluster in memory for tests of collection: nodes that keep files in maps and answer as real ones do, a master that records at once. */
import { fromJsonBytes, toJsonBytes } from "../../bus/json.ts";
import { MemoryBus } from "../../bus/memory.ts";
import type { NodeSpace } from "../../client/ddfs/ddfs-api.ts";
import type { DdfsEvent } from "../../core/ddfs/events.ts";
import { type BlobAddress, objectOf, parseBlobAddress } from "../../core/ddfs/names.ts";
import { Tags } from "../../core/ddfs/tags.ts";
import { CommError, DiscoError } from "../../errors.ts";
import type {
  BlobPage,
  CopyBlob,
  DeleteBlobs,
  ListBlobs,
  ScrubNode,
  ScrubStatus,
  StoredBlob,
} from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type { Decider } from "../decider.ts";
import { NodeCalls } from "./node-calls.ts";

export const graceMs = 1_000;
const pageLength = 2;

export class FakeNode {
  readonly host: string;
  readonly files = new Map<string, StoredBlob>();
  readonly asked: string[] = [];
  isUp = true;
  isHalf = false;
  epoch = 0;
  gc = 0;
  /** Set aside. */
  readonly damaged: string[] = [];
  scrubs = 0;
  /** Refuses the next copies. */
  failsCopies = 0;

  constructor(host: string) {
    this.host = host;
  }

  keep(object: string, storedAt = 0, volume = "vol0"): string {
    this.files.set(`${volume}/${object}`, { object, volume, size: 10, storedAt, digest: `sum of ${object}` });
    return replicaAddress(this.host, volume, object);
  }

  has(object: string): boolean {
    return [...this.files.values()].some((file) => file.object === object);
  }

  serve(bus: MemoryBus, cluster: FakeCluster): void {
    const on = <T extends { epoch: number }>(what: string, answer: (message: T) => unknown): void => {
      bus.serve(`node.${this.host}.${what}`, async (bytes) => {
        const message = fromJsonBytes<T>(bytes);
        this.asked.push(what);
        await cluster.before?.(this.host, what, message);
        if (!this.isUp) throw new DiscoError("is down", { code: "down" });
        if (message.epoch < this.epoch) throw new DiscoError("another master leads", { code: "stale-epoch" });
        this.epoch = message.epoch;
        return toJsonBytes(answer(message));
      });
    };
    on<ListBlobs>("ddfs-list", ({ gc, after }): BlobPage => {
      this.gc = Math.max(this.gc, gc ?? 0);
      const keys = [...this.files.keys()].sort();
      const from = after === undefined ? 0 : keys.findIndex((key) => key > `${after.volume}/${after.object}`);
      const page = from < 0 ? [] : keys.slice(from, from + pageLength);
      const blobs = page.flatMap((key) => this.files.get(key) ?? []);
      const isLast = from < 0 || from + pageLength >= keys.length;
      return { blobs, isLast, volumes: [], incomplete: this.isHalf, cluster: "c" };
    });
    on<DeleteBlobs>("ddfs-delete", ({ gc, graceMs: grace, blobs }) => {
      if (gc < this.gc) throw new DiscoError("an old collection", { code: "old-gc" });
      this.gc = gc;
      const young = blobs.filter(({ object, volume }) => {
        const file = this.files.get(`${volume}/${object}`);
        return file !== undefined && file.storedAt >= cluster.now() - grace;
      });
      const gone = blobs.filter((blob) => !young.includes(blob));
      for (const { object, volume } of gone) this.files.delete(`${volume}/${object}`);
      return {
        gone: gone.map(({ object }) => object),
        kept: young.map(({ object }) => ({ object, reason: "it is young" })),
      };
    });
    on<CopyBlob>("ddfs-copy", ({ object, sources }) => {
      if (this.failsCopies-- > 0) throw new DiscoError("the disk is full", { code: "disk-full" });
      const from = sources.find((url) => {
        const address = parseBlobAddress(url);
        return address !== null && cluster.nodes.some((node) => node.host === address.host && node.has(object));
      });
      if (from === undefined) throw new DiscoError("no replica could be read", { code: "no-such-blob" });
      this.keep(object, cluster.now());
      return this.files.get(`vol0/${object}`);
    });
    on<ScrubNode>("ddfs-scrub", ({ action }): ScrubStatus => {
      if (action === "start") this.scrubs++;
      const finishedAt = this.scrubs > 0 ? cluster.now() : null;
      return { running: false, blobs: this.files.size, bytes: 10, damaged: this.damaged, finishedAt };
    });
  }
}

export class FakeCluster {
  readonly bus = new MemoryBus();
  readonly nodes: FakeNode[];
  readonly journal: DdfsEvent[] = [];
  readonly gcBlacklist = new Set<string>();
  tags = new Tags();
  time = 1_000_000;
  epoch = 1;
  leads = true;
  /** Called before a node answers. */
  before: ((host: string, what: string, message: object) => Promise<void> | void) | null = null;

  constructor(hosts: readonly string[]) {
    this.nodes = hosts.map((host) => new FakeNode(host));
    for (const node of this.nodes) node.serve(this.bus, this);
    this.tags.handle({ kind: "cluster-named", at: 0, id: "c" });
  }

  readonly now = (): number => this.time;

  node(host: string): FakeNode {
    const found = this.nodes.find((one) => one.host === host);
    if (found === undefined) throw new Error(`there is no ${host}`);
    return found;
  }

  /** An object that is old enough to be collected. */
  old(name: string): string {
    return objectOf(name, 1_000);
  }

  link(tag: string, ...sets: string[][]): void {
    const urls = sets.map((set) => set.join("\t")).join("\n");
    this.decider.record([
      { kind: "tag-changed", at: this.time, tag, id: `${tag}$0-0-1`, change: { kind: "link", urls } },
    ]);
  }

  urls(tag: string): string[][] {
    return [...(this.tags.tag(tag)?.urls.sets() ?? [])];
  }

  calls(): NodeCalls {
    return new NodeCalls({ bus: this.bus, epoch: () => this.epoch });
  }

  readonly spaces = async (): Promise<NodeSpace[]> =>
    this.nodes.map(({ host, isUp }) => ({
      host,
      connected: isUp,
      leaving: this.gcBlacklist.has(host),
      volumes: [{ volume: "vol0", freeBytes: 1_000, usedBytes: 0, trouble: null }],
    }));

  readonly stat = async ({ host, volume, object }: BlobAddress): Promise<StoredBlob | null> => {
    const node = this.node(host);
    if (!node.isUp) throw new CommError(`${host} does not answer`, { code: "no-answer" });
    return node.files.get(`${volume}/${object}`) ?? null;
  };

  get decider(): Decider {
    const machine = (): Decider["machine"] => ({ tags: this.tags, gcBlacklist: this.gcBlacklist });
    return {
      get machine() {
        return machine();
      },
      record: (events) => {
        if (!this.leads) throw new DiscoError("another master leads", { code: "not-leading" });
        for (const event of events) {
          this.tags.handle(event);
          this.journal.push(event);
        }
      },
      committed: () => new Promise((resolve) => setImmediate(resolve)),
      assured: async () => undefined,
      assertRoom: () => undefined,
    };
  }
}
