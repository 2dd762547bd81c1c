/**
 * Out-of-band values as DDFS has them (tag `disco:job:oob:JOB`), for when the node that made one is gone, and of workers that jobs
 * bring along: these write them into the tag themselves. They are brought beside the job's other files, so that they go with the job.
 */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { blobNameLengthMax, blobNameOf } from "../core/ddfs/names.ts";
import type { Tags } from "../core/ddfs/tags.ts";
import { oobTag } from "../core/job/saved-tags.ts";
import type { Ddfs } from "../ddfs/ddfs.ts";
import { privateDirectoryMode, privateFileMode } from "../node/private-modes.ts";
import type { JobFiles } from "./job-files.ts";

export interface KeptValuesParts {
  readonly files: JobFiles;
  readonly ddfs: () => Promise<Pick<Ddfs, "openBlob">>;
}

/** Keys of the values that DDFS has, sorted. Very long ones are known by their hash alone. */
export function keptKeys(tags: Pick<Tags, "tag">, job: string): string[] {
  const keys = new Set<string>();
  for (const [url = ""] of tags.tag(oobTag(job))?.urls.sets() ?? []) keys.add(blobNameOf(url));
  return [...keys].sort();
}

/** Absolute path of the value; `null`: DDFS has none of that key. @throws what reading its last replica throws */
export async function keptValue(
  tags: Pick<Tags, "tag">,
  job: string,
  key: string,
  { files, ddfs }: KeptValuesParts,
): Promise<string | null> {
  const name = key.length > blobNameLengthMax ? createHash("md5").update(key).digest("hex") : key;
  const replicas = [...(tags.tag(oobTag(job))?.urls.sets() ?? [])].find(([url = ""]) => blobNameOf(url) === name);
  if (replicas === undefined) return null;
  const to = join(
    dirname(files.packFile(job)),
    "oob",
    createHash("sha256")
      .update(replicas[0] ?? "")
      .digest("hex"),
  );
  if (existsSync(to)) return to;
  await mkdir(dirname(to), { recursive: true, mode: privateDirectoryMode });
  const store = await ddfs();
  let failure: unknown;
  for (const url of replicas) {
    const part = `${to}.${randomUUID()}`;
    try {
      const { body } = await store.openBlob(url);
      await pipeline(body, createWriteStream(part, { mode: privateFileMode }));
      await rename(part, to);
      return to;
    } catch (error) {
      await rm(part, { force: true });
      failure = error;
    }
  }
  throw failure;
}
