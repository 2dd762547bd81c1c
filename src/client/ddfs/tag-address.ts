/**
 * How users name tags: `NAME`, `tag://NAME`, `tag://HOST/NAME`, `tag://TOKEN@HOST/NAME` (HOST may be left out: there is one master).
 * Names may have `@` and `:` themselves, so that a token is only what stands before a slash.
 */
import { DiscoError } from "../../errors.ts";

export interface TagAddress {
  readonly name: string;
  /** Of the address itself. */
  readonly token: string | undefined;
}

const namePattern = /^[A-Za-z0-9_\-@:]{1,511}$/;
const nameHint = "Names have 1 to 511 letters, digits, and _ - @ :";

/** @throws DiscoError `bad-name` */
export function parseTag(tag: unknown): TagAddress {
  if (typeof tag !== "string") throw badTag(tag === null ? "null" : `a value of type ${typeof tag}`);
  const [, authority, name = ""] = /^(?:tag:\/\/(?:([^/]*)\/)?)?(.*)$/s.exec(tag) ?? [];
  if (!namePattern.test(name) || tag === "-") throw badTag(JSON.stringify(tag.slice(0, 100)));
  const at = authority?.indexOf("@") ?? -1;
  if (authority === undefined || at < 0) return { name, token: usualToken(name) };
  const user = authority.slice(0, at);
  // `user:token`, as in other addresses.
  const token = user.slice(user.indexOf(":") + 1);
  return { name, token: token === "" ? undefined : token };
}

/** What Disco's own clients show for out-of-band values: they take what precedes `@` in `disco:job:oob:JOB@…` for `user:token`. */
function usualToken(name: string): string | undefined {
  return name.startsWith("disco:job:oob:") ? "job" : undefined;
}

/** `tag://NAME`. */
export function tagAddress(name: string): string {
  return `tag://${name}`;
}

/** Whether an entry of a tag leads to another tag, and not to a blob. */
export function isTagLink(replicas: readonly string[]): boolean {
  const [first = ""] = replicas;
  return first.startsWith("tag://") || namePattern.test(first);
}

/** Addresses as a tag has them: one alone is a blob of one replica. @throws DiscoError `bad-url` */
export function urlSets(urls: readonly (string | readonly string[])[]): string[][] {
  if (Array.isArray(urls)) return urls.map((replicas) => (typeof replicas === "string" ? [replicas] : [...replicas]));
  throw new DiscoError("a list was expected, of addresses or of lists of replicas", { code: "bad-url" });
}

/** Disco's `DDFS.safe_name`: what no name may have becomes `_`. */
export function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_\-@:]/gu, "_");
}

/** @throws DiscoError `bad-name` */
export function assertBlobName(name: string, place: string): void {
  if (namePattern.test(name)) return;
  const safe = safeName(name).slice(0, 511);
  throw new DiscoError(`${place}: ${JSON.stringify(name.slice(0, 100))} is no name for a blob`, {
    code: "bad-name",
    hint: safe === "" ? nameHint : `${nameHint}. DDFS.safeName gives ${JSON.stringify(safe.slice(0, 100))}.`,
  });
}

function badTag(got: string): DiscoError {
  return new DiscoError(`${got} is not a tag`, {
    code: "bad-name",
    hint: `Give a name or tag://NAME. ${nameHint}.`,
  });
}
