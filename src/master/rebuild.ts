/**
 * A new journal for blobs whose journal is gone: tags are taken from the newest whole snapshot that nodes keep (`ddfs/snapshots/`).
 *
 *   volumes of nodes ─▶ snapshots, the newest first ─▶ the first that is whole ─▶ events ─▶ empty journal
 *
 * RB1. Nothing is written into a journal that has tags, or while a snapshot has not been read to its end.
 * RB2. Nothing is deleted: what was tagged after the snapshot is reported, and garbage collection leaves it alone for the grace period.
 */
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import type { DdfsEvent } from "../core/ddfs/events.ts";
import { partsOfObject, snapshotName } from "../core/ddfs/names.ts";
import { objectsOfLine } from "../core/ddfs/url-lists.ts";
import { readTagBytes, type SavedHead, type SavedTag } from "../ddfs/snapshots/tag-lines.ts";
import { DiscoError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import { Ledger } from "../journal/ledger.ts";
import { openSqliteJournal } from "../journal/sqlite.ts";
import { foundVolumes, isSound } from "./ddfs/found-volumes.ts";
import { rootJournals } from "./root-journals.ts";

export interface RebuildOptions {
  /** Opens the journal, which is empty as far as tags go, when there is something to write. It is closed in the end. */
  readonly journal: () => Journal | Promise<Journal>;
  /** Data directories of nodes, or copies of them; folders of further volumes as well. */
  readonly directories: readonly string[];
  /** Volumes in them that are meant, where a directory has those of several journals. Default: all. */
  readonly isMeant?: (volume: string) => boolean;
  /** Milliseconds since 1970. Default: of this machine. */
  readonly now?: () => number;
}

export interface Rebuilt {
  /** File of the snapshot. */
  readonly snapshot: string;
  /** When it was made. Milliseconds since 1970. */
  readonly at: number;
  readonly cluster: string;
  readonly tags: number;
  /** Lines of all tags. */
  readonly urls: number;
  /** Snapshots that were newer, and damaged. */
  readonly damaged: readonly string[];
  /** Blobs in these directories that no tag names, and those that tags name and are in none of them. The first some of each. */
  readonly unnamed: { readonly count: number; readonly first: readonly string[] };
  readonly absent: { readonly count: number; readonly first: readonly string[] };
}

/** Runs of garbage collection that may have been since the snapshot: nodes that remember them refuse lower numbers. */
const gcAhead = 10_000;
const eventsPerCommit = 50;
const shownMax = 20;

/** @throws DiscoError `not-empty`, `no-volume`, `no-snapshot`, `several-clusters`, what the journal throws */
export async function rebuildTags({
  journal: open,
  directories,
  isMeant,
  now = Date.now,
}: RebuildOptions): Promise<Rebuilt> {
  const volumes = await foundVolumes(directories, isMeant);
  const files = volumes.flatMap(({ blobs }) => blobs);
  const { file, head, damaged } = await newestSnapshot(files);
  const journal = await open();
  const ledger = await Ledger.load({ journal, writer: `rebuild-${process.pid}`, now, carryOut: () => undefined }).catch(
    async (error: unknown) => {
      await journal.close();
      throw error;
    },
  );
  try {
    if (ledger.machine.tags.size > 0) {
      throw new DiscoError(`the journal has ${ledger.machine.tags.size} tags already`, {
        code: "not-empty",
        hint: "Tags are only restored into a journal that has none. Use a new root, or another name of the cluster.",
      });
    }
    if (!(await ledger.lead())) throw new DiscoError("a master leads at present", { code: "journal-busy" });
    const named = new Set<string>();
    let [urls, waiting] = [0, 0];
    const record = async (event: DdfsEvent): Promise<void> => {
      ledger.record(event);
      if (++waiting % eventsPerCommit !== 0) return;
      ledger.flush();
      await ledger.committed();
    };
    await record({ kind: "cluster-named", at: now(), id: head.cluster });
    await record({ kind: "gc-started", at: now(), gc: head.gc + gcAhead });
    for await (const entry of readTagBytes(createReadStream(file))) {
      if (!("tag" in entry)) continue;
      for (const event of eventsOf(entry.tag, entry.urls)) await record(event);
      for (const line of entry.urls.flatMap((text) => text.split("\n"))) {
        urls++;
        for (const object of objectsOfLine(line)) named.add(object);
      }
    }
    ledger.flush();
    await ledger.committed();
    const there = new Set(files.map((one) => basename(one)));
    return {
      snapshot: file,
      at: head.at,
      cluster: head.cluster,
      tags: head.tags,
      urls,
      damaged,
      unnamed: some([...there].filter((object) => !named.has(object) && !object.startsWith(`${snapshotName}$`))),
      absent: some([...named].filter((object) => !there.has(object))),
    };
  } finally {
    await ledger.closeLater();
  }
}

/**
 * As `rebuildTags`, of a root on this machine whose journal is gone. `of`: the daemon's, or that of scripts without a daemon.
 * @throws as `rebuildTags`, and `journal-busy` while a process has the journal
 */
export async function rebuildRoot(
  root: string,
  of: "daemon" | "scripts",
  folders: readonly string[] = [],
): Promise<Rebuilt> {
  const { file, isMeant } = rootJournals[of];
  const directories = [join(root, "data"), ...folders];
  return await rebuildTags({ journal: () => openSqliteJournal(join(root, file)), directories, isMeant });
}

/** The newest that is whole: read to its end. */
async function newestSnapshot(
  files: readonly string[],
): Promise<{ readonly file: string; readonly head: SavedHead; readonly damaged: readonly string[] }> {
  const snapshots = files
    .filter((file) => partsOfObject(basename(file))?.name === snapshotName)
    .sort((a, b) => microsOf(b) - microsOf(a));
  const damaged: string[] = [];
  let newest: { file: string; head: SavedHead } | null = null;
  for (const file of snapshots) {
    const head = await headOf(file);
    if (head === null) {
      if (newest === null) damaged.push(file);
      continue;
    }
    newest ??= { file, head };
    if (head.cluster === newest.head.cluster) continue;
    throw new DiscoError(`these directories have blobs of two clusters: ${newest.head.cluster} and ${head.cluster}`, {
      code: "several-clusters",
      hint: "Name the directories of nodes of one cluster only.",
    });
  }
  if (newest !== null) return { ...newest, damaged };
  const why = damaged.length === 0 ? "there is none" : `all of them are damaged: ${damaged.join(", ")}`;
  throw new DiscoError(`no snapshot of tags was found: ${why}`, {
    code: "no-snapshot",
    hint: "Each snapshot is on several nodes: name the data directories of others as well.",
  });
}

/** `null`: the file is not whole. */
async function headOf(file: string): Promise<SavedHead | null> {
  if (!(await isSound(file))) return null;
  try {
    let head: SavedHead | null = null;
    for await (const entry of readTagBytes(createReadStream(file))) if ("cluster" in entry) head = entry;
    return head;
  } catch {
    return null;
  }
}

/** A tag, as it was. */
function* eventsOf(tag: SavedTag, urls: readonly string[]): Generator<DdfsEvent> {
  const { name, id, modifiedAt: at, attributes, readToken, writeToken } = tag;
  // Pieces come with the oldest first; parts of an update are in the order of the list.
  const [oldest = "", ...newer] = urls;
  const update = `rebuild ${id}`;
  for (const text of newer.reverse()) yield { kind: "urls-staged", at, update, urls: text };
  const change = { kind: "put", urls: oldest, ...(newer.length === 0 ? {} : { staged: update }) } as const;
  const tokens = {
    ...(readToken === null ? {} : { read: readToken }),
    ...(writeToken === null ? {} : { write: writeToken }),
  };
  yield { kind: "tag-changed", at, tag: name, id, change, tokens };
  for (const [attribute, value] of attributes)
    yield { kind: "tag-changed", at, tag: name, id, change: { kind: "set-attribute", name: attribute, value } };
}

function microsOf(file: string): number {
  return partsOfObject(basename(file))?.micros ?? 0;
}

function some(objects: readonly string[]): { readonly count: number; readonly first: readonly string[] } {
  return { count: objects.length, first: objects.slice(0, shownMax) };
}
