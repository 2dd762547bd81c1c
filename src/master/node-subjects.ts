/**
 * What nodes ask of the master and tell it: its subjects on the bus. They name this start of the master, so that what was meant for
 * another one is never taken for its own; who speaks is the last part of the subject, which a bus can guard, not what the message says.
 */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { lastPart, nameOf } from "../bus/subjects.ts";
import type { ManifestMark, ManifestPart } from "../core/job/spec.ts";
import { dropOf } from "../core/leftovers.ts";
import { DiscoError } from "../errors.ts";
import { otherCluster } from "../node/ddfs/own-blobs.ts";
import type { PackPlaces } from "../protocol/large-reply.ts";
import { encodeManifest } from "../protocol/manifest-file.ts";
import type { JobLeftover, LeftoversReply, NodeHello, NodeReport, NodeWelcome } from "../protocol/messages.ts";
import type { Coordinator } from "./coordinator.ts";
import type { JobFiles } from "./job-files.ts";
import type { NodeFiles } from "./node-files.ts";
import { checkedHello, checkedReports } from "./node-messages.ts";

interface ManifestQuestion {
  readonly job: string;
  readonly stage: number;
  readonly version: number;
  /** What has come since; `null`: from the beginning. Absent: the whole of this version. */
  readonly since?: ManifestMark | null;
}

/** The same for two only if they say the same. */
function partName({ mark, open }: ManifestPart, since: ManifestMark | null): string {
  const from = since?.log === mark.log ? since.at : 0;
  return `${mark.log}-${from}-${mark.at}${open === true ? "-open" : ""}`;
}

export interface NodeSubjects {
  /** Unique for each start. */
  readonly instance: string;
  readonly coordinator: Coordinator;
  readonly files: JobFiles;
  /** Who is let in, and who is there. Absent: on one machine, where there is one node. */
  readonly admission?: {
    /** @throws DiscoError `node-unreachable` */
    reach?(hello: NodeHello): Promise<void>;
    /** @throws DiscoError `name-taken`, `version-mismatch` */
    admit(hello: NodeHello): void;
    joined(hello: NodeHello): void;
    left(host: string, session: string): void;
    /** Data servers, by name. */
    dataServers(): Readonly<Record<string, string>>;
  };
  /** What is too large for messages. Absent: on one machine, where nothing is. */
  readonly nodeFiles?: NodeFiles;
}

/** Returns what stops serving. */
export function serveNodes(bus: Bus, { instance, coordinator, files, admission, nodeFiles }: NodeSubjects): () => void {
  const stops: (() => void)[] = [];
  const serve = <T>(what: string, handler: (message: T, host: string) => Promise<Uint8Array | undefined>): void => {
    const pattern = `master.${instance}.${what}.*`;
    stops.push(bus.serve(pattern, (bytes, subject) => handler(fromJsonBytes<T>(bytes), nameOf(lastPart(subject)))));
  };
  serve("join", async (message: unknown, host) => {
    const hello = checkedHello(message, host);
    await admission?.reach?.(hello);
    const { cluster } = coordinator.machine.tags;
    // On one machine, where there may be several journals, blobs are refused to who opens them.
    if (admission !== undefined && hello.cluster !== undefined && hello.cluster !== cluster) throw otherCluster(host);
    admission?.admit(hello);
    const joined = coordinator.join(hello);
    admission?.joined(hello);
    await joined;
    const { epoch } = coordinator.machine.cluster;
    const named = coordinator.machine.tags.cluster;
    const welcome: NodeWelcome = { epoch, dataServers: admission?.dataServers() ?? {}, cluster: named };
    return toJsonBytes(welcome);
  });
  serve("leave", async ({ session }: { session: string }, host) => {
    admission?.left(host, session);
    return undefined;
  });
  serve("nodes", async () => toJsonBytes(admission?.dataServers() ?? {}));
  serve("leftovers", async ({ jobs }: { jobs: readonly JobLeftover[] }, host) => {
    const drop = jobs.flatMap((leftover): LeftoversReply["drop"] => {
      const scope = dropOf(coordinator.machine, host, leftover);
      return scope === null ? [] : [{ job: leftover.job, scope }];
    });
    // What is deleted is deleted for ever: all that it rests on is in the journal.
    await coordinator.assured();
    return toJsonBytes({ drop } satisfies LeftoversReply);
  });
  serve("report", async (message: { reports: NodeReport[] }, host) => {
    // The one of this process says nothing that it was not made to say, and says more in a second.
    const reports = admission === undefined ? message.reports : checkedReports(message, host);
    await coordinator.report(host, reports);
    return undefined;
  });
  // Where it lies: a pack is too large for a message.
  serve("pack", async ({ job }: { job: string }) => {
    const places: PackPlaces = (await nodeFiles?.pack(job)) ?? { file: files.packFile(job), urls: [] };
    return toJsonBytes(places);
  });
  serve("manifest", async ({ job, stage, version, since }: ManifestQuestion) => {
    const isPart = since !== undefined;
    const { machine } = coordinator;
    const manifest = isPart ? machine.manifestPart(job, stage, since) : machine.manifest(job, stage);
    if (manifest === null || (!isPart && manifest.version !== version)) {
      throw new DiscoError(`stage ${stage} of ${job} has no version ${version} now`, {
        code: "no-manifest",
        retry: "here",
        job,
      });
    }
    const bytes = encodeManifest(manifest);
    await coordinator.assured();
    const name = isPart ? `${stage}-from-${partName(manifest as ManifestPart, since)}` : `${stage}-${version}`;
    return nodeFiles === undefined ? bytes : await nodeFiles.reply(job, `manifest-${name}.json`, bytes);
  });
  serve("oob", async ({ job }: { job: string }) => {
    const files = Object.fromEntries(coordinator.machine.oob(job).map(({ key, file }) => [key, file]));
    const bytes = toJsonBytes(files);
    await coordinator.assured();
    return nodeFiles === undefined ? bytes : await nodeFiles.reply(job, "oob.json", bytes);
  });
  return () => {
    for (const stop of stops) stop();
  };
}
