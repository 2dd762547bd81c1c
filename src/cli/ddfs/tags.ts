/** Whole tags: `ddfs ls`, `stat`, `exists`, `rm`. */
import type { TagContents } from "../../client/ddfs/ddfs-api.ts";
import { DiscoError } from "../../errors.ts";
import { confirm } from "../commands/confirm.ts";
import { isPattern } from "../commands/job-pattern.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Column, formatColumns, widthOf } from "../print/columns.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatCount } from "../progress/quantity.ts";
import { type OpenDdfs, type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { otherTags } from "./other-tags.ts";
import { chosenTags, type TagChoice, tagNameOf, tagsLike } from "./tag-names.ts";

export interface ListOptions extends StoreOptions {
  readonly long?: boolean;
  readonly recursive?: boolean;
}

/** Words are beginnings of names, as in Disco, or patterns; none means all tags. */
export async function listTags(words: readonly string[], options: ListOptions): Promise<void> {
  await withDdfs(options, async (ddfs) => {
    const { api } = ddfs;
    const found = new Set<string>();
    for (const word of words.length === 0 ? [""] : words)
      for (const name of isPattern(word) ? await tagsLike(api, word) : await api.tags(word)) found.add(name);
    if (found.size === 0 && options.json !== true) {
      const elsewhere = otherTags(ddfs.master);
      const none = words.length === 0 ? "no tags" : "no such tags";
      process.stderr.write(elsewhere === null ? `${none}\n` : `${none}\n${elsewhere}\n`);
    }
    if (options.long === true) await printStats(ddfs, [...found], options);
    else if (options.recursive === true) await (await import("./blobs.ts")).listReachable(ddfs, [...found], options);
    else if (options.json === true) printJson([...found]);
    else printLines([...found]);
  });
}

export async function printStat(words: readonly string[], options: StoreOptions & TagChoice): Promise<void> {
  await withDdfs(options, async (ddfs) => {
    const { names } = await chosenTags(ddfs.api, words, options);
    await printStats(ddfs, names, options);
  });
}

const columns: readonly Column[] = [
  { title: "TAG", shrinks: true },
  { title: "CHANGED" },
  { title: "BLOBS", align: "right" },
  { title: "TAGS", align: "right" },
  { title: "REPLICAS", align: "right" },
  { title: "ATTRIBUTES", align: "right" },
  { title: "VERSION" },
];

interface TagStat {
  readonly tag: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
  readonly blobs: number;
  /** Links to other tags. */
  readonly tags: number;
  /** Of the blob that has fewest; `null`: there is none. */
  readonly replicas: number | null;
  readonly attributes: Readonly<Record<string, unknown>>;
}

async function printStats({ api, read }: OpenDdfs, names: readonly string[], { json }: StoreOptions): Promise<void> {
  const stats: TagStat[] = [];
  for (const name of names) stats.push(statOf(name, await api.tag(name, read)));
  if (json === true) return printJson(stats);
  const rows = stats.map(({ tag, changedAt, blobs, tags, replicas, attributes, id }) => [
    tag,
    new Date(changedAt).toLocaleString("sv-SE"),
    formatCount(blobs),
    formatCount(tags),
    replicas === null ? "-" : formatCount(replicas),
    formatCount(Object.keys(attributes).length),
    id.slice(id.indexOf("$") + 1),
  ]);
  if (rows.length > 0) printLines(formatColumns(columns, rows, widthOf(process.stdout), lookOf(process.stdout)));
}

function statOf(tag: string, contents: TagContents): TagStat {
  let [tags, fewest] = [0, Number.POSITIVE_INFINITY];
  for (const set of contents.urls) {
    if (set[0]?.startsWith("tag://") === true) tags++;
    else fewest = Math.min(fewest, set.length);
  }
  return {
    tag,
    id: contents.id,
    changedAt: timeOf(contents["last-modified"]),
    blobs: contents.urls.length - tags,
    tags,
    replicas: Number.isFinite(fewest) ? fewest : null,
    attributes: contents["user-data"],
  };
}

/** `2026/11/22 11:27:27`, in UTC. */
function timeOf(text: string): number {
  return Date.parse(`${text.replaceAll("/", "-").replace(" ", "T")}Z`);
}

/** Prints it, and says it by the exit status. */
export async function tagExists(word: string, options: StoreOptions): Promise<number> {
  const name = tagNameOf(word);
  const exists = await withDdfs(options, ({ ddfs }) => ddfs.exists(name));
  if (options.json === true) printJson(exists);
  else printLines([String(exists)]);
  return exists ? exitCodes.ok : exitCodes.failed;
}

export interface RemoveOptions extends StoreOptions, TagChoice {
  readonly yes?: boolean;
  /** Asks nothing, and one that is not there is removed already. */
  readonly force?: boolean;
}

const kind = { command: (verb: string) => `ddfs ${verb}`, one: "tag", several: "tags" };

export async function removeTags(words: readonly string[], options: RemoveOptions): Promise<void> {
  const force = options.force === true;
  const removed = await withDdfs(options, async (ddfs) => {
    const { api, write } = ddfs;
    const { names, guessed } = await chosenTags(api, words, options).catch((error: unknown) => {
      if (force && error instanceof DiscoError && error.code === "unknown-tag") return { names: [], guessed: false };
      throw error;
    });
    const there = await thoseThatAre(ddfs, names, force);
    if (guessed || there.length > 1)
      await confirm({ verb: "rm", names: there, yes: force || options.yes === true, kind });
    for (const name of there) await api.deleteTag(name, write);
    return there;
  });
  if (options.json === true) return printJson(removed);
  for (const name of removed) process.stderr.write(`removed ${name}\n`);
}

/** Before the first is removed, all were found and may be changed as far as can be seen. @throws DiscoError `unknown-tag`, … */
async function thoseThatAre({ api, write }: OpenDdfs, names: readonly string[], force: boolean): Promise<string[]> {
  const there: string[] = [];
  for (const name of names) {
    try {
      // Tells whether it may be changed, and reads none of its links.
      await api.getAttr(name, "ddfs:write-token", write);
      there.push(name);
    } catch (error) {
      const isGone = error instanceof DiscoError && error.code === "unknown-tag";
      if (!isGone || !force) throw error;
    }
  }
  return there;
}
