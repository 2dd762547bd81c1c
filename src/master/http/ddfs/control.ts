/** Garbage collection and scrubbing, as Disco's command asks for them (`/ddfs/ctrl/…`), and what only the API has. */
import type { DdfsApi, GcStatus } from "../../../client/ddfs/ddfs-api.ts";
import type { Ddfs } from "../../../ddfs/ddfs.ts";
import { DiscoError } from "../../../errors.ts";
import { wireTime } from "../../../protocol/wire-time.ts";

type Answer = (ddfs: Ddfs, query: URLSearchParams) => Promise<unknown>;

/** In Disco's words, which tools look at. */
const phases: Readonly<Record<NonNullable<GcStatus["phase"]>, string>> = {
  listing: "GC is scanning DDFS (phase build_map).",
  deleting: "GC is performing garbage collection (phase gc).",
  replicating: "GC is re-replicating blobs (phase rr_blobs).",
  mending: "GC is re-replicating blobs (phase rr_blobs_wait).",
};

/** Asked with GET, as Disco has it. */
export const discoControls: Readonly<Record<string, Answer>> = {
  async gc_start(ddfs) {
    try {
      await ddfs.gcStart();
    } catch (error) {
      // One that runs is one that was started, to who asks in Disco's words.
      if (!(error instanceof DiscoError) || error.code !== "gc-running") throw error;
    }
    return "GC has started";
  },
  async gc_status(ddfs) {
    const { phase } = await ddfs.gcStatus();
    return phase === null ? "" : phases[phase];
  },
  async gc_stats(ddfs) {
    const report = await ddfs.gcStats();
    if (report === null) return "";
    const { tagsKept, tagsDeleted, blobsKept, blobsDeleted } = report.stats;
    const stats = {
      "Tags kept": tagsKept,
      "Tags deleted": tagsDeleted,
      "Blobs kept": blobsKept,
      "Blobs deleted": blobsDeleted,
    };
    return { timestamp: wireTime(report.at), stats };
  },
  safe_gc_blacklist: (ddfs) => ddfs.safeGcBlacklist(),
};

/** What they change is worth a method that says so. */
export const apiControls: Readonly<Record<"GET" | "POST", Readonly<Record<string, Answer>>>> = {
  GET: {
    gc: (ddfs) => ddfs.gcStatus(),
    "gc-stats": (ddfs) => ddfs.gcStats(),
    "gc-safe": (ddfs) => ddfs.safeGcBlacklist(),
    scrub: (ddfs) => ddfs.scrubStatus(),
    space: (ddfs) => ddfs.space(),
    "hosted-tags": (ddfs, query) => hostedTags(ddfs, query.get("host") ?? ""),
  },
  POST: {
    gc: (ddfs) => ddfs.gcStart().then(() => null),
    scrub: (ddfs, query) => ddfs.scrubStart(paceOf(query)).then(() => null),
  },
};

/** @throws DiscoError `unknown-node` */
export async function hostedTags(ddfs: Ddfs, host: unknown): Promise<string[]> {
  const isKnown = (await ddfs.space()).some((node) => node.host === host);
  if (typeof host === "string" && isKnown) return await ddfs.hostedTags(host);
  const name = typeof host === "string" ? host.slice(0, 100) : "that has no name";
  throw new DiscoError(`there is no node ${name}`, { code: "unknown-node" });
}

function paceOf(query: URLSearchParams): Parameters<DdfsApi["scrubStart"]>[0] {
  const text = query.get("bytes_per_second");
  if (text === null || text === "") return {};
  if (/^[1-9]\d{0,14}$/.test(text)) return { bytesPerSecond: Number(text) };
  throw new DiscoError(`bytes_per_second is a whole number above 0, not ${text.slice(0, 50)}`, {
    code: "bad-parameter",
  });
}
