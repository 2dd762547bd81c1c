/** Who may read and change a tag. A tag without a token is everybody's who reaches the master; the token for writing reads as well. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Tag } from "../core/ddfs/tags.ts";
import { DiscoError } from "../errors.ts";

/** What a caller shows; `master`: a token of the master itself that allows everything, or a caller in this process. */
export interface TagToken {
  readonly token?: string | undefined;
  readonly master?: boolean | undefined;
}

export function mayRead({ readToken, writeToken }: Tag, { token, master }: TagToken): boolean {
  if (readToken === null || master === true) return true;
  return same(token, readToken) || (writeToken !== null && same(token, writeToken));
}

export function mayWrite({ writeToken }: Tag, { token, master }: TagToken): boolean {
  return writeToken === null || master === true || same(token, writeToken);
}

/** @throws DiscoError `tag-unauthorized` */
export function assertMay(tag: Tag, what: "read" | "write", shown: TagToken): void {
  if (what === "read" ? mayRead(tag, shown) : mayWrite(tag, shown)) return;
  const missing = shown.token === undefined ? "asks for a token" : "has another token";
  throw new DiscoError(`the tag ${tag.name} ${missing} to ${what === "read" ? "be read" : "be changed"}`, {
    code: "tag-unauthorized",
    url: `tag://${tag.name}`,
    hint: `Give it as \`token\`, or in DDFS_${what.toUpperCase()}_TOKEN.`,
  });
}

function same(given: string | undefined, wanted: string): boolean {
  return given !== undefined && timingSafeEqual(digestOf(given), digestOf(wanted));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
