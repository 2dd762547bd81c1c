/** What a command line means by its words, where the bytes of blobs are wanted: tags, patterns of tags, or addresses. */
import { PulledBlob } from "../../client/ddfs/pulled-blob.ts";
import { DiscoError } from "../../errors.ts";
import { blobsOf, type ReachOptions } from "./blobs.ts";
import type { OpenDdfs } from "./open-ddfs.ts";
import { chosenTags } from "./tag-names.ts";

/** `tag://` aside, what has a scheme is a blob's address; several with spaces between them are its replicas. */
const address = /^(?!tag:)[a-z][a-z0-9+.-]*:\/\//i;

/** In the order of the words. @throws DiscoError `unknown-tag`, `bad-name` */
export async function* contentsOf(
  ddfs: OpenDdfs,
  words: readonly string[],
  options: ReachOptions,
  signal?: AbortSignal,
): AsyncGenerator<PulledBlob> {
  const blob = (urls: readonly string[]): PulledBlob => new PulledBlob(ddfs.api, urls, { signal, notifier });
  for (const word of words) {
    if (address.test(word)) {
      yield blob(word.split(/\s+/).filter((url) => url !== ""));
      continue;
    }
    const { names } = await chosenTags(ddfs.api, [word], options);
    for await (const urls of blobsOf(ddfs, names, options)) yield blob(urls);
  }
}

/** A replica that fails is said, because somebody should know, also where another one is read. */
function notifier(url: string, failure: unknown): void {
  const { code } = failure instanceof DiscoError ? failure : { code: "error" };
  process.stderr.write(`ddfs: ${url}: ${failure instanceof Error ? failure.message : code}\n`);
}
