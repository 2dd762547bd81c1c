/** Tags and the tags that they link to, each once, however they are linked. */
import { isTagLink, parseTag } from "../../client/ddfs/tag-address.ts";
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

interface Step {
  readonly path: readonly string[];
  /** Of the link that leads there. */
  readonly token: string | undefined;
}

/** Depth first. `seen`: tags that were visited before, and are not again. @throws DiscoError `unknown-tag`, `tag-unauthorized` */
export async function* walkTags(
  ddfs: OpenDdfs,
  root: string,
  { ignoreMissing = false }: WalkOptions = {},
  seen = new Set<string>(),
): AsyncGenerator<Walked> {
  const waiting: Step[] = [{ path: [root], token: undefined }];
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    const { path, token } = step;
    const name = path.at(-1) ?? "";
    if (seen.has(name)) continue;
    seen.add(name);
    const urls = await urlsOf(ddfs, name, token, ignoreMissing);
    yield { path, blobs: urls?.filter((set) => !isTagLink(set)) ?? null };
    for (const [link = ""] of (urls ?? []).filter(isTagLink).reverse()) {
      const address = parseTag(link);
      waiting.push({ path: [...path, address.name], token: address.token });
    }
  }
}

/** `null`: it is missing, and that is no matter. */
async function urlsOf(
  { api, read }: OpenDdfs,
  name: string,
  token: string | undefined,
  ignoreMissing: boolean,
): Promise<readonly (readonly string[])[] | null> {
  try {
    return (await api.tag(name, token === undefined ? read : { token })).urls;
  } catch (error) {
    if (ignoreMissing && error instanceof DiscoError && error.code === "unknown-tag") return null;
    throw error;
  }
}
