/** `ddfs pull`: the blobs of tags as files of a folder, or, one after the other, on standard output. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DDFS } from "../../client/ddfs/ddfs.ts";
import { inParallel } from "../../client/ddfs/in-parallel.ts";
import type { PulledBlob } from "../../client/ddfs/pulled-blob.ts";
import { saveChunks } from "../../client/ddfs/saved-file.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { patternOf } from "../commands/job-pattern.ts";
import { printJson } from "../print/write-out.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import type { ReachOptions } from "./blobs.ts";
import { contentsOf } from "./contents.ts";
import { type Counter, openCounter } from "./counter.ts";
import { withDdfs } from "./open-ddfs.ts";
import { stoppable } from "./stoppable.ts";

export interface PullOptions extends ReachOptions {
  /** A pattern that the names of blobs match. */
  readonly blobs?: string;
  /** Files that are there are replaced. */
  readonly force?: boolean;
  readonly concurrency?: number;
  readonly quiet?: boolean;
}

interface PulledFile {
  readonly file: string;
  readonly blob: string;
  readonly url: string;
  readonly bytes: number;
}

const defaultConcurrency = 4;

export async function pullBlobs(word: string, folder: string, options: PullOptions): Promise<void> {
  if (folder === "-") return await (await import("./cat.ts")).catBlobs([word], options);
  const pattern = options.blobs === undefined ? null : patternOf(options.blobs);
  await stoppable((signal) =>
    withDdfs(options, async (ddfs) => {
      const blobs: PulledBlob[] = [];
      for await (const blob of contentsOf(ddfs, [word], options, signal))
        if (pattern?.test(blob.name) !== false) blobs.push(blob);
      const files = filesFor(blobs, folder);
      if (options.force !== true) await assertFree(files);
      await mkdir(folder, { recursive: true });
      const counter = openCounter(`pull ${word}`, "bytes", options);
      try {
        const many = options.concurrency ?? defaultConcurrency;
        const pulled = await inParallel(blobs, many, signal, (blob, i) => pull(blob, files[i] ?? "", counter));
        counter.close();
        if (options.json === true) printJson(pulled);
        else if (options.quiet !== true) process.stderr.write(`${summary(pulled.length, counter.done)} in ${folder}\n`);
      } finally {
        counter.close();
      }
    }),
  );
}

async function pull(blob: PulledBlob, file: string, counter: Counter): Promise<PulledFile> {
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob) {
      counter.count(chunk.length);
      yield chunk;
    }
  }
  const bytes = await saveChunks(file, counted());
  return { file, blob: blob.name, url: blob.urls[0] ?? "", bytes };
}

/** Called as the blobs are. Of several with one name all but the first, which is the newest, have their time as well. */
function filesFor(blobs: readonly PulledBlob[], folder: string): string[] {
  const taken = new Set<string>();
  return blobs.map(({ name, urls: [url = ""] }) => {
    const safe = DDFS.safeName(name) || "blob";
    const candidates = [safe, parseBlobAddress(url)?.object ?? safe];
    let file = candidates.find((one) => !taken.has(one));
    for (let i = 2; file === undefined; i++) if (!taken.has(`${safe}.${i}`)) file = `${safe}.${i}`;
    taken.add(file);
    return join(folder, file);
  });
}

async function assertFree(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const found = await stat(file).catch(() => null);
    if (found === null) continue;
    throw new DiscoError(`there is a file ${file}`, {
      code: "file-exists",
      hint: "--force replaces it; or pull into another folder.",
    });
  }
}

function summary(count: number, bytes: number): string {
  return `${formatCount(count)} ${count === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
}
