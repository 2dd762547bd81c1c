/** Tags and the tags that they link to, each once, however they are linked. */
import { tagOf } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { OpenDdfs } from "./open-ddfs.ts";

export interface Walked {
  /** From the tag where the walk began to this one. */
  readonly path: readonly string[];
  /** Sets of replicas; `null`: there is no such tag. */
  readonly blobs: readonly (readonly string[])[] | null;
}

export interface WalkOptions {
  /** Tags that are not there are named, with `blobs: null`, instead of refused. */
  readonly ignoreMissing?: boolean | undefined;
}

/** Depth first. `seen`: tags that were visited before, and are not again. @throws DiscoError `unknown-tag` */
export async function* walkTags(
  { api, read }: OpenDdfs,
  root: string,
  { ignoreMissing = false }: WalkOptions = {},
  seen = new Set<string>(),
): AsyncGenerator<Walked> {
  const waiting: (readonly string[])[] = [[root]];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const name = path.at(-1) ?? "";
    if (seen.has(name)) continue;
    seen.add(name);
    const urls = await urlsOf();
    if (urls === null) {
      yield { path, blobs: null };
      continue;
    }
    const links = urls.map(([url = ""]) => tagOf(url));
    yield { path, blobs: urls.filter((_, at) => links[at] === null) };
    for (const link of links.reverse()) if (link !== null) waiting.push([...path, link]);

    async function urlsOf(): Promise<readonly (readonly string[])[] | null> {
      try {
        return (await api.tag(name, read)).urls;
      } catch (error) {
        if (ignoreMissing && error instanceof DiscoError && error.code === "unknown-tag") return null;
        throw error;
      }
    }
  }
}
