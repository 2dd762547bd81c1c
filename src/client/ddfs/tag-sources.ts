/**
 * Whom this process asks for tags. An address `tag://NAME` names no master: the tags of the one that was opened last are meant, or, where
 * no `Disco` is open, those of the default one (`DISCO_MASTER`, else the engine in this process). `tag://HOST:PORT/NAME` names one.
 */
import { DiscoError } from "../../errors.ts";
import { authorityOf } from "../../schemes/environment.ts";
import { defaultPort } from "../address.ts";
import { embeddedHost } from "../data-place.ts";
import { replicaAt } from "../servers.ts";
import { parseTag } from "./tag-address.ts";
import { type WalkOptions, walkTags } from "./tag-graph.ts";
import { type TagSource, tagSources } from "./tag-registry.ts";

/** The name in `tag://NAME` or `tag://[TOKEN@]HOST[:PORT]/NAME`, and where it is. @throws DiscoError `bad-name` */
export function placeOfTag(url: string): { readonly host: string | null; readonly name: string } {
  const { name } = parseTag(url);
  const authority = url.slice("tag://".length, -name.length).replace(/\/$/, "");
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return { host: host === "" ? null : host, name };
}

/** Another master of this process may have the tag: `root-busy` is of one that has no tags. */
const passedOver: ReadonlySet<string> = new Set(["unknown-tag", "root-busy"]);

/** Replicas of each blob of the tag, then of those to which it links, where they are reached from here. @throws DiscoError `unknown-tag` … */
export async function blobsOfTag(url: string): Promise<string[][]> {
  const { host } = placeOfTag(url);
  let missing: unknown = null;
  for (const source of tagSources().filter((one) => host === null || isAt(one, host))) {
    try {
      return await listed(source, url);
    } catch (error) {
      if (!(error instanceof DiscoError) || !passedOver.has(error.code)) throw error;
      missing ??= error;
    }
  }
  if (missing !== null) throw missing;
  const { Disco } = await import("../disco.ts");
  const disco = new Disco(host === null || host === embeddedHost ? undefined : `disco://${host}`);
  try {
    await disco.master();
    return await listed(disco.tags, url);
  } finally {
    await disco.close();
  }
}

/** How tags that are read are walked: all that they name has to be there. */
export function walkingOf(): WalkOptions {
  return { ignoreMissing: false, token: process.env["DDFS_READ_TOKEN"] || undefined };
}

/** Whether the host in an address is one of the source's masters. */
export function isAt({ urls }: Pick<TagSource, "urls">, host: string): boolean {
  if (urls.length === 0) return host === embeddedHost;
  const wanted = /:\d+$/.test(host) ? host : `${host}:${defaultPort}`;
  return urls.some((url) => authorityOf(url) === wanted);
}

async function listed(source: TagSource, url: string): Promise<string[][]> {
  const [server] = source.urls;
  const blobs: string[][] = [];
  for await (const [, , own] of walkTags(await source.ddfs(), url, walkingOf())) {
    for (const replicas of own)
      blobs.push(replicas.map((replica) => (server === undefined ? replica : replicaAt(server, replica))));
  }
  return blobs;
}
