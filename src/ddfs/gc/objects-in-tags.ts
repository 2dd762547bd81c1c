/**
 * What tags name, read bit by bit: a million lines take seconds, and the master has other things to do meanwhile. What is named
 * while this is read is noted by `Tags.watch`, so that nothing is missed.
 */
import { createHash } from "node:crypto";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import type { Tags } from "../../core/ddfs/tags.ts";
import { linesOf } from "../../core/ddfs/url-lists.ts";

/** Objects whose HH is from `from` to `to`, both included; `null`: all. */
export type Part = { readonly from: number; readonly to: number } | null;

export interface Named {
  /** Of each object, all addresses by which tags name it. */
  readonly urls: Map<string, string[]>;
  /** Of each object, the tags that do. */
  readonly tags: Map<string, string[]>;
  /** Nodes that addresses mention. */
  readonly hosts: Set<string>;
}

/** So many lines are read in one turn of the event loop: about a millisecond. */
const linesPerTurn = 1_000;
/** A part has about so many lines of tags. */
const linesPerPart = 200_000;
/** Files of nodes that take as much memory as a line, or less: so many replicas a blob has. */
const filesPerLine = 4;
const hashesMax = 256;

/**
 * Parts of all objects, so that each fits into memory: one, as long as tags have less than 200,000 lines, and nodes not many more files.
 * What the last run has kept may be garbage by now, with a tag that was deleted since.
 */
export function partsOf(tags: Tags): Part[] {
  let lines = 0;
  for (const { urls } of tags.all()) lines += urls.count;
  const [files] = tags.lastGc?.stats.blobsKept ?? [0];
  const count = Math.min(hashesMax, Math.ceil(Math.max(lines, files / filesPerLine) / linesPerPart));
  if (count <= 1) return [null];
  const step = hashesMax / count;
  return Array.from({ length: count }, (_, i) => ({
    from: Math.round(i * step),
    to: Math.round((i + 1) * step) - 1,
  }));
}

export function isIn(part: Part, object: string): boolean {
  if (part === null) return true;
  const hash = createHash("md5").update(object).digest()[0] ?? 0;
  return hash >= part.from && hash <= part.to;
}

/** `only`: leave all others out. @throws the signal's reason */
export async function objectsInTags(
  tags: Tags,
  part: Part,
  signal: AbortSignal,
  only?: ReadonlySet<string>,
): Promise<Named> {
  const named: Named = { urls: new Map(), tags: new Map(), hosts: new Set() };
  let read = 0;
  const line = async (text: string, tag: string | null): Promise<void> => {
    for (const url of text.split("\t")) {
      const address = parseBlobAddress(url);
      if (address === null || only?.has(address.object) === false || !isIn(part, address.object)) continue;
      note(named, address.object, url, tag);
      named.hosts.add(address.host);
    }
    if (++read % linesPerTurn === 0) await turn(signal);
  };
  for (const staged of tags.staged()) for (const text of linesOf(staged)) await line(text, null);
  // What is deleted meanwhile is named for this once.
  for (const tag of [...tags.all()]) for (const text of tag.urls.lines()) await line(text, tag.name);
  return named;
}

/** Lets others have the event loop. @throws the signal's reason */
export async function turn(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

function note({ urls, tags }: Named, object: string, url: string, tag: string | null): void {
  const known = urls.get(object);
  if (known === undefined) urls.set(object, [url]);
  else if (!known.includes(url)) known.push(url);
  if (tag === null) return;
  const its = tags.get(object);
  if (its === undefined) tags.set(object, [tag]);
  else if (its.at(-1) !== tag) its.push(tag);
}
