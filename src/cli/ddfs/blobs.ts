/** Blobs that tags lead to: `ddfs blobs`, `find`, and what `ddfs ls -r` prints. */
import { exitCodes } from "../exit-codes.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { type OpenDdfs, type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { chosenTags, type TagChoice } from "./tag-names.ts";
import { type WalkOptions, walkTags } from "./walk.ts";

export type ReachOptions = StoreOptions & TagChoice & WalkOptions;

/** A line a blob, its replicas with tabs between them; none twice. */
export async function printBlobs(words: readonly string[], options: ReachOptions): Promise<void> {
  await withDdfs(options, async (ddfs) => {
    const { names } = await chosenTags(ddfs.api, words, options);
    const sets = blobsOf(ddfs, names, options);
    if (options.json === true) printJson(await Array.fromAsync(sets));
    else for await (const set of sets) printLines([set.join("\t")]);
  });
}

export async function* blobsOf(
  ddfs: OpenDdfs,
  names: readonly string[],
  options: WalkOptions,
): AsyncGenerator<readonly string[]> {
  const [seen, known] = [new Set<string>(), new Set<string>()];
  for (const name of names) {
    for await (const { blobs } of walkTags(ddfs, name, options, seen)) {
      for (const set of blobs ?? []) {
        const key = set.join("\t");
        if (!known.has(key)) yield set;
        known.add(key);
      }
    }
  }
}

export async function listReachable(ddfs: OpenDdfs, names: readonly string[], { json }: StoreOptions): Promise<void> {
  const lists: { tag: string; blobs: (readonly string[])[]; missing: string[] }[] = [];
  for (const tag of names) {
    const list: (typeof lists)[number] = { tag, blobs: [], missing: [] };
    for await (const { path, blobs } of walkTags(ddfs, tag, { ignoreMissing: true })) {
      if (blobs === null) list.missing.push(path.join(" → "));
      else list.blobs.push(...blobs);
    }
    if (json === true) lists.push(list);
    else printLines([tag, ...list.blobs.map((set) => set.join("\t")), ""]);
    for (const path of list.missing) process.stderr.write(`Tag not found: ${path}\n`);
  }
  if (json === true) printJson(lists);
}

export interface FindOptions extends ReachOptions {
  readonly warnMissing?: boolean;
}

/** Prints the way to each tag; status 1 where links are broken and that was asked for. */
export async function findTags(words: readonly string[], options: FindOptions): Promise<number> {
  return await withDdfs(options, async (ddfs) => {
    const warns = options.warnMissing === true;
    const names = words.length === 0 ? await ddfs.api.tags() : (await chosenTags(ddfs.api, words, options)).names;
    const found: { path: readonly string[]; exists: boolean }[] = [];
    let missing = 0;
    for (const name of names) {
      for await (const { path, blobs } of walkTags(ddfs, name, {
        ignoreMissing: warns || options.ignoreMissing === true,
      })) {
        if (blobs === null) missing++;
        if (options.json === true) found.push({ path, exists: blobs !== null });
        else if (blobs !== null) printLines([path.join("\t")]);
        else if (warns) printLines([`Tag not found: ${path.join("\t")}`]);
      }
    }
    if (options.json === true) printJson(found);
    return warns && missing > 0 ? exitCodes.failed : exitCodes.ok;
  });
}
