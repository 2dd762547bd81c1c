/** `/ddfs/tag/TAG[/ATTRIBUTE]`: what may be done with a tag. */
import type { Ddfs } from "../../../ddfs/ddfs.ts";
import type { TagToken } from "../../../ddfs/tag-access.ts";
import { attributeNameBytesMax } from "../../../ddfs/tag-service.ts";
import { DiscoError } from "../../../errors.ts";
import { sendJson } from "../send.ts";
import type { Bodies } from "./bodies.ts";
import type { DdfsExchange } from "./ddfs-interface.ts";
import { sendTag, sendUrls } from "./tag-stream.ts";

export interface TagRequest extends DdfsExchange {
  readonly ddfs: Ddfs;
  readonly bodies: Bodies;
  readonly token: TagToken;
  readonly tag: string;
  /** Empty: the tag itself. */
  readonly attribute: string;
}

type Method = (request: TagRequest) => Promise<void>;

export const tagMethods: Readonly<Record<string, Method>> = {
  GET: read,
  HEAD: read,
  POST: link,
  PUT: replace,
  DELETE: remove,
};

const ownAttributes: ReadonlySet<string> = new Set(["ddfs:urls", "ddfs:read-token", "ddfs:write-token"]);
const keyLengthMax = 200;

async function read({ ddfs, response, token, tag, attribute }: TagRequest): Promise<void> {
  assertAttribute(tag, attribute);
  const { tagService } = ddfs;
  if (attribute === "") await sendTag(response, await tagService.tag(tag, token));
  else if (attribute === "ddfs:urls") await sendUrls(response, (await tagService.tag(tag, token)).urls);
  else sendJson(response, 200, await tagService.attribute(tag, attribute, token));
}

/** Flags are set when they have a value, whatever it is. */
async function link(exchange: TagRequest): Promise<void> {
  const { ddfs, request, response, bodies, token, tag, attribute, target } = exchange;
  if (attribute !== "") throw new DiscoError("URLs are added to a tag, not to an attribute", { code: "bad-name" });
  // Before half a gigabyte is read for nothing.
  ddfs.tagService.assertWritable(tag, token);
  const options = {
    ...token,
    ...keyOf(exchange),
    delayed: (target.query.get("delayed") ?? "") !== "",
    update: (target.query.get("update") ?? "") !== "",
  };
  const id = await ddfs.tagService.linkParts(tag, await bodies.urls(request), options);
  sendJson(response, 200, [ddfs.versionAddress(id)]);
}

async function replace(exchange: TagRequest): Promise<void> {
  const { ddfs, request, response, bodies, token, tag, attribute } = exchange;
  assertAttribute(tag, attribute);
  const { tagService } = ddfs;
  tagService.assertWritable(tag, token);
  const id =
    attribute === "" || attribute === "ddfs:urls"
      ? await tagService.putParts(tag, await bodies.urls(request), {
          ...token,
          ...keyOf(exchange),
          ...versionOf(exchange),
        })
      : await tagService.setAttribute(tag, attribute, await bodies.value(request), token);
  sendJson(response, 200, [ddfs.versionAddress(id)]);
}

async function remove(exchange: TagRequest): Promise<void> {
  const { ddfs, response, token, tag, attribute } = exchange;
  assertAttribute(tag, attribute);
  if (attribute === "") await ddfs.tagService.delete(tag, { ...token, ...versionOf(exchange) });
  else await ddfs.tagService.deleteAttribute(tag, attribute, token);
  sendJson(response, 200, "deleted");
}

function assertAttribute(tag: string, attribute: string): void {
  if (attribute.startsWith("ddfs:") && !ownAttributes.has(attribute))
    throw new DiscoError(`the tag ${tag} has no attribute ${attribute}`, { code: "unknown-attribute" });
  if (Buffer.byteLength(attribute) > attributeNameBytesMax) {
    throw new DiscoError(`the name of an attribute has at most ${attributeNameBytesMax} bytes`, {
      code: "bad-attribute",
    });
  }
}

/** `Idempotency-Key`: the same request again changes nothing. */
function keyOf({ request }: TagRequest): { readonly key?: string } {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string" || key === "") return {};
  if (key.length <= keyLengthMax) return { key };
  throw new DiscoError(`an Idempotency-Key has at most ${keyLengthMax} characters`, { code: "bad-header" });
}

/** `If-Match: "NAME$ts"`: only where the tag is in that version. */
function versionOf({ request }: TagRequest): { readonly ifId?: string } {
  const match = request.headers["if-match"];
  if (match === undefined || match === "*") return {};
  const id = /^"([^"]{1,600})"$/.exec(match)?.[1];
  if (id !== undefined) return { ifId: id };
  throw new DiscoError('If-Match names one version of the tag, e.g. "NAME$703-54adf-e102a"', { code: "bad-header" });
}
