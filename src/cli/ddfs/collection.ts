/**
 * Garbage collection, scrubbing and checking: `ddfs gc`, `ddfs scrub`, `ddfs fsck`. They go on at the master when the command
 * ends; in the engine of the command itself they are waited for.
 */
import type { DdfsApi, FsckFinding, GcReport, GcStatus, NodeScrub } from "../../client/ddfs/ddfs-api.ts";
import { DiscoError } from "../../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Cell, type Column, formatColumns, widthOf } from "../print/columns.ts";
import { localTime } from "../print/local-time.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import { openCounter } from "./counter.ts";
import { leavingNodes, sentenceOf } from "./gc-blacklist.ts";
import { type StoreOptions, withDdfs } from "./open-ddfs.ts";

export interface WaitingOptions extends StoreOptions {
  readonly wait?: boolean;
}

const pollMs = 250;

export async function startGc(options: WaitingOptions): Promise<void> {
  await withDdfs(options, async ({ api, master }) => {
    const before = await api.gcStats();
    const joined = await started(api);
    if (options.wait !== true && master.kind === "remote") {
      if (options.json === true) printJson({ started: !joined, status: await api.gcStatus() });
      else process.stderr.write(`garbage collection ${joined ? "runs already" : "has started"}\n`);
      return;
    }
    await gcEnd(api, before, options);
    await reportGc(api, options);
  });
}

/** Whether one ran already. */
async function started(api: DdfsApi): Promise<boolean> {
  try {
    await api.gcStart();
    return false;
  } catch (error) {
    if (error instanceof DiscoError && error.code === "gc-running") return true;
    throw error;
  }
}

async function gcEnd(api: DdfsApi, before: GcReport | null, options: StoreOptions): Promise<void> {
  const counter = openCounter("garbage collection", "steps", options);
  try {
    for (;;) {
      const status = await api.gcStatus();
      const isOver = status.phase === null && (await api.gcStats())?.at !== before?.at;
      if (isOver) return;
      if (status.phase === null && status.notes.length > 0)
        throw new DiscoError(`garbage collection has not come to its end: ${status.notes.join("; ")}`, {
          code: "gc-failed",
          hint: "`ddfs gc status` says what it waits for.",
        });
      counter.total(status.total);
      counter.at(status.done);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    counter.close();
  }
}

export async function printGcStatus(options: StoreOptions): Promise<void> {
  await withDdfs(options, async ({ api, disco }) => {
    const [status, leaving] = [await api.gcStatus(), await leavingNodes(api, await disco.master())];
    if (options.json === true) printJson({ ...status, leaving });
    else printLines([...linesOfGc(status), ...leaving.map((node) => `  ${sentenceOf(node)}`)]);
  });
}

function linesOfGc({ phase, gc, done, total, notes }: GcStatus): string[] {
  const state =
    phase === null
      ? "no garbage collection runs"
      : `garbage collection ${gc}: ${phase}, ${formatCount(done)} of ${formatCount(total)}`;
  return [state, ...notes.map((note) => `  ${note}`)];
}

export async function printGcStats(options: StoreOptions): Promise<void> {
  await withDdfs(options, ({ api }) => reportGc(api, options));
}

async function reportGc(api: DdfsApi, { json }: StoreOptions): Promise<void> {
  const report = await api.gcStats();
  if (json === true) return printJson(report);
  if (report === null) printLines(["no garbage collection has ended yet"]);
  else printLines(linesOfReport(report));
}

function linesOfReport({ at, stats, safe }: GcReport): string[] {
  const files = ([count, bytes]: readonly [number, number]): string =>
    `${formatCount(count)} ${count === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
  return [
    `garbage collection of ${localTime(at)}`,
    `  blobs kept     ${files(stats.blobsKept)}`,
    `  blobs deleted  ${files(stats.blobsDeleted)}`,
    `  tags kept      ${files(stats.tagsKept)}`,
    `  tags deleted   ${files(stats.tagsDeleted)}`,
    `  replicas made  ${formatCount(stats.replicated)}`,
    `  blobs lost     ${formatCount(stats.lost)}`,
    ...(safe.length === 0 ? [] : [`  safe to remove ${safe.join(", ")}`]),
  ];
}

export interface ScrubOptions extends WaitingOptions {
  /** Megabytes a second, of each node. */
  readonly rate?: number;
}

const bytesOfMegabyte = 1_000_000;

/** With `--wait`: status 1 where damaged blobs were found. */
export async function startScrub(options: ScrubOptions): Promise<number> {
  return await withDdfs(options, async ({ api, master }) => {
    const before = new Map((await api.scrubStatus()).map(({ host, finishedAt }) => [host, finishedAt]));
    await api.scrubStart(options.rate === undefined ? {} : { bytesPerSecond: options.rate * bytesOfMegabyte });
    if (options.wait !== true && master.kind === "remote") {
      if (options.json === true) printJson(await api.scrubStatus());
      else process.stderr.write("scrubbing has started\n");
      return exitCodes.ok;
    }
    const nodes = await scrubEnd(api, before, options);
    printNodes(nodes, options);
    return nodes.some(({ damaged }) => damaged.length > 0) ? exitCodes.failed : exitCodes.ok;
  });
}

async function scrubEnd(
  api: DdfsApi,
  before: ReadonlyMap<string, number | null>,
  options: StoreOptions,
): Promise<NodeScrub[]> {
  const counter = openCounter("scrub", "blobs", options);
  try {
    for (;;) {
      const nodes = await api.scrubStatus();
      counter.at(nodes.reduce((sum, { blobs }) => sum + blobs, 0));
      if (nodes.every(({ host, running, finishedAt }) => !running && finishedAt !== (before.get(host) ?? null)))
        return nodes;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    counter.close();
  }
}

export async function printScrubStatus(options: StoreOptions): Promise<void> {
  printNodes(await withDdfs(options, ({ api }) => api.scrubStatus()), options);
}

const scrubColumns: readonly Column[] = [
  { title: "NODE", shrinks: true },
  { title: "STATE" },
  { title: "BLOBS", align: "right" },
  { title: "READ", align: "right" },
  { title: "DAMAGED", align: "right" },
  { title: "LAST ROUND" },
];

function printNodes(nodes: readonly NodeScrub[], { json }: StoreOptions): void {
  if (json === true) printJson(nodes);
  else printNodeLines(nodes);
}

function printNodeLines(nodes: readonly NodeScrub[]): void {
  const rows = nodes.map(({ host, running, blobs, bytes, damaged, finishedAt }): Cell[] => [
    host,
    running ? "running" : "-",
    formatCount(blobs),
    formatBytes(bytes),
    damaged.length === 0 ? "-" : { text: formatCount(damaged.length), style: "red" },
    finishedAt === null ? "never" : localTime(finishedAt),
  ]);
  printLines(formatColumns(scrubColumns, rows, widthOf(process.stdout), lookOf(process.stdout)));
  for (const { host, damaged } of nodes) printLines(damaged.map((object) => `damaged on ${host}: ${object}`));
}

/** Blobs that no tag names are garbage, which is no fault. */
const harmless: ReadonlySet<FsckFinding["kind"]> = new Set(["orphan"]);

/** Status 1 where something is wrong. */
export async function check(options: StoreOptions): Promise<number> {
  const findings = await withDdfs(options, async ({ api }) => {
    const list: FsckFinding[] = [];
    const counter = openCounter("fsck", "steps", options);
    try {
      for await (const finding of api.fsck()) {
        counter.count(1);
        if (options.json === true) list.push(finding);
        else {
          printLines([`${finding.kind}: ${finding.message}`]);
          list.push(finding);
        }
      }
    } finally {
      counter.close();
    }
    return list;
  });
  const wrong = findings.filter(({ kind }) => !harmless.has(kind)).length;
  if (options.json === true) printJson({ ok: wrong === 0, findings });
  else process.stderr.write(wrong === 0 ? "nothing is wrong\n" : `${formatCount(wrong)} found\n`);
  return wrong === 0 ? exitCodes.ok : exitCodes.failed;
}
