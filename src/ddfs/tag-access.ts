/** Who may read and change a tag. A tag without a token is everybody's who reaches the master; the token for writing reads as well. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Tag } from "../core/ddfs/tags.ts";
import { DiscoError } from "../errors.ts";

/** What a caller shows; `master`: a token of the master itself that allows everything, or a caller in this process. */
export interface TagToken {
  readonly token?: string | undefined;
  readonly master?: boolean | undefined;
}

export function mayRead({ name, readToken, writeToken }: Tag, { token, master }: TagToken): boolean {
  if (readToken === null || master === true) return true;
  return same(name, token, readToken) || (writeToken !== null && same(name, token, writeToken));
}

export function mayWrite({ name, writeToken }: Tag, { token, master }: TagToken): boolean {
  return writeToken === null || master === true || same(name, token, writeToken);
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

const hiddenPrefix = "sha256:";

/**
 * What is kept of a token where others may read it: enough to know it by. Tags that were restored from there have it for a token, and
 * whoever shows the token itself is let in.
 */
export function hiddenToken(tag: string, token: string | null): string | null {
  if (token === null || token.startsWith(hiddenPrefix)) return token;
  return hashOf(tag, token);
}

function same(tag: string, given: string | undefined, wanted: string): boolean {
  if (given === undefined) return false;
  // What is hidden opens nothing by itself.
  const shown = wanted.startsWith(hiddenPrefix) ? hashOf(tag, given) : given;
  return timingSafeEqual(digestOf(shown), digestOf(wanted));
}

function hashOf(tag: string, token: string): string {
  return hiddenPrefix + createHash("sha256").update(`${tag}\0${token}`, "utf8").digest("hex");
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
