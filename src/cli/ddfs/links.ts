/** What tags link to: `ddfs tag`, `put`, `untag`, `touch`, `urls`, `get`. */
import type { TagContents } from "../../client/ddfs/ddfs-api.ts";
import { blobNameOf, parseBlobAddress } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { confirm } from "../commands/confirm.ts";
import { isPattern, patternOf } from "../commands/job-pattern.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { formatCount } from "../progress/quantity.ts";
import { type OpenDdfs, type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { linesOfInput } from "./standard-input.ts";
import { chosenTags, type TagChoice, tagNameOf } from "./tag-names.ts";

export interface LinkOptions extends StoreOptions {
  readonly update?: boolean;
  readonly delayed?: boolean;
}

/** Others change the tag all the time: then somebody has to say what is to happen. */
const attemptsMax = 100;

export async function addLinks(word: string, words: readonly string[], options: LinkOptions): Promise<void> {
  const name = tagNameOf(word);
  const urls = await urlSets(words);
  const { update, delayed } = options;
  await withDdfs(options, ({ api, write }) => api.link(name, urls, { ...write, update, delayed }));
  report(name, "added", urls.length, options);
}

export async function replaceLinks(word: string, words: readonly string[], options: StoreOptions): Promise<void> {
  const name = tagNameOf(word);
  const urls = await urlSets(words);
  await withDdfs(options, ({ api, write }) => api.putTag(name, urls, write));
  report(name, "links", urls.length, options);
}

/** Makes those that do not exist, and leaves the others as they are. */
export async function touchTags(words: readonly string[], options: StoreOptions): Promise<void> {
  const names = words.map(tagNameOf);
  await withDdfs(options, async ({ api, write }) => {
    for (const name of names) await api.link(name, [], write);
  });
  if (options.json === true) printJson(names);
}

export async function printUrls(words: readonly string[], options: StoreOptions & TagChoice): Promise<void> {
  await withDdfs(options, async ({ api, read }) => {
    const { names } = await chosenTags(api, words, options);
    const sets: (readonly string[])[] = [];
    for (const name of names) {
      const { urls } = await api.tag(name, read);
      if (options.json === true) sets.push(...urls);
      else printLines(urls.map((set) => set.join("\t")));
    }
    if (options.json === true) printJson(sets);
  });
}

/** The tag as the master has it: JSON, with `--json` and without. */
export async function printTag(word: string, options: StoreOptions): Promise<void> {
  const name = tagNameOf(word);
  printJson(await withDdfs(options, ({ api, read }) => api.tag(name, read)));
}

/** Takes blobs, and links to tags, out of a tag. Names and patterns may mean several: these are asked for. */
export async function removeLinks(
  word: string,
  words: readonly string[],
  options: StoreOptions & { readonly yes?: boolean },
): Promise<void> {
  const name = tagNameOf(word);
  const gone = await withDdfs(options, (ddfs) => removed(ddfs, name, words, options.yes === true));
  report(name, "removed", gone, options);
}

async function removed(
  { api, write }: OpenDdfs,
  name: string,
  words: readonly string[],
  yes: boolean,
): Promise<number> {
  let confirmed = yes;
  for (let attempt = 1; ; attempt++) {
    const tag = await api.tag(name, write);
    const meant = meantBy(words, tag);
    const rest = tag.urls.filter((set) => !meant.has(set));
    if (!confirmed && (words.some(isPattern) || meant.size > words.length))
      await confirm({ verb: "untag", names: [...meant].map(([url = ""]) => url), yes: false, kind: links });
    confirmed = true;
    try {
      await api.putTag(name, rest, { ...write, ifId: tag.id });
      return meant.size;
    } catch (error) {
      // Somebody else changed it: their change stays.
      if (!(error instanceof DiscoError) || error.code !== "tag-changed" || attempt >= attemptsMax) throw error;
    }
  }
}

const links = { command: () => "ddfs untag TAG", one: "link", several: "links" };

function meantBy(words: readonly string[], { urls, id }: TagContents): Set<readonly string[]> {
  const meant = new Set<readonly string[]>();
  for (const word of words) {
    const pattern = isPattern(word) ? patternOf(word) : null;
    const found = urls.filter((set) =>
      set.some((url) => {
        const { object } = parseBlobAddress(url) ?? {};
        const names = [url, object, blobNameOf(url), ...(url.startsWith("tag://") ? [url.slice(6)] : [])];
        return pattern === null
          ? names.includes(word)
          : names.some((known) => known !== undefined && pattern.test(known));
      }),
    );
    if (found.length === 0) {
      throw new DiscoError(`the tag ${id.replace(/\$.*/, "")} links to nothing that is called ${word}`, {
        code: "bad-argument",
        hint: "`ddfs urls TAG` prints its links.",
      });
    }
    for (const set of found) meant.add(set);
  }
  return meant;
}

/** Each word is a blob: an address, or several with spaces between them, its replicas. Without words: lines of standard input. */
async function urlSets(words: readonly string[]): Promise<string[][]> {
  const isPiped = words.length === 0 || (words.length === 1 && words[0] === "-");
  const sets = isPiped ? await linesOfInput("address") : words;
  return sets.map((set) => set.split(/\s+/).filter((url) => url !== ""));
}

function report(tag: string, what: "added" | "links" | "removed", count: number, { json }: StoreOptions): void {
  const counted = `${formatCount(count)} ${count === 1 ? "link" : "links"}`;
  if (json === true) printJson({ tag, [what]: count });
  else process.stderr.write(`${tag}: ${what === "links" ? counted : `${counted} ${what}`}\n`);
}
