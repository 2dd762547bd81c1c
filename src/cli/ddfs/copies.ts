/**
 * `ddfs cp` and `ddfs mv`: a tag under another name. Blobs stay where they are; what changes is which tag names them. A tag that is moved
 * is deleted last, and only in the version that was copied: a link that somebody adds meanwhile is not lost.
 */
import type { TagContents } from "../../client/ddfs/ddfs-api.ts";
import { DiscoError } from "../../errors.ts";
import { printJson } from "../print/write-out.ts";
import { type OpenDdfs, type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { tagNameOf } from "./tag-names.ts";

export interface CopyOptions extends StoreOptions {
  /** User's attributes, too. */
  readonly attributes?: boolean;
  /** Refuse a target that is there. */
  readonly clobber: boolean;
}

const attemptsMax = 100;

export async function copyTag(from: string, to: string, options: CopyOptions): Promise<void> {
  const names = namesOf(from, to);
  await withDdfs(options, async (ddfs) => {
    await assertMayBe(ddfs, names.target, options);
    await copy(ddfs, names, await ddfs.api.tag(names.source, ddfs.read), options.attributes === true);
  });
  if (options.json === true) printJson(names);
}

export async function moveTag(from: string, to: string, options: CopyOptions): Promise<void> {
  const names = namesOf(from, to);
  await withDdfs(options, async (ddfs) => {
    await assertMayBe(ddfs, names.target, options);
    for (let attempt = 1; !(await isMoved(ddfs, names)); attempt++) {
      if (attempt < attemptsMax) continue;
      throw new DiscoError(`${names.source} changes all the time: it is copied to ${names.target}, and still there`, {
        code: "tag-changed",
        hint: "Move it when nobody changes it.",
      });
    }
  });
  if (options.json === true) printJson(names);
}

interface Names {
  readonly source: string;
  readonly target: string;
}

function namesOf(from: string, to: string): Names {
  const [source, target] = [tagNameOf(from), tagNameOf(to)];
  if (source !== target) return { source, target };
  throw new DiscoError(`${source} cannot be copied or moved to itself`, {
    code: "bad-argument",
    hint: "Give the target another name.",
  });
}

async function isMoved({ api, write, ...rest }: OpenDdfs, names: Names): Promise<boolean> {
  const { source, target } = names;
  const contents = await api.tag(source, write);
  await copy({ api, write, ...rest }, names, contents, true);
  const tokens = ["ddfs:read-token", "ddfs:write-token"];
  const values: unknown[] = [];
  for (const token of tokens) values.push(await api.getAttr(source, token, write));
  for (const [at, token] of tokens.entries())
    if (typeof values[at] === "string") await api.setAttr(target, token, values[at], write);
  try {
    await api.deleteTag(source, { ...write, ifId: contents.id });
    return true;
  } catch (error) {
    if (error instanceof DiscoError && error.code === "tag-changed") return false;
    throw error;
  }
}

async function copy(
  { api, write }: OpenDdfs,
  { target }: Names,
  { urls, "user-data": attributes }: TagContents,
  withAttributes: boolean,
): Promise<void> {
  await api.putTag(target, urls, write);
  if (!withAttributes) return;
  for (const [name, value] of Object.entries(attributes)) await api.setAttr(target, name, value, write);
}

async function assertMayBe({ api, write }: OpenDdfs, target: string, { clobber }: CopyOptions): Promise<void> {
  if (clobber) return;
  try {
    await api.getAttr(target, "ddfs:write-token", write);
  } catch (error) {
    if (error instanceof DiscoError && error.code === "unknown-tag") return;
    throw error;
  }
  throw new DiscoError(`there is a tag ${target}`, {
    code: "tag-exists",
    hint: "Leave out --no-clobber to have it replaced.",
  });
}
