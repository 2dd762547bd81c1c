/**
 * Inputs of a job: what the user wrote becomes `InputSpec`s, with label, size and the nodes that hold the data.
 *
 * All that can be wrong with an address is found here, before the job is sent: an unknown scheme, a file that is not
 * there, a glob without match, a directory, a `dir://` index that cannot be read.
 */
import type { InputSpec } from "../core/job/spec.ts";
import { parseS3Url, s3Url } from "../s3/address.ts";
import { parseDiscoUrl } from "../schemes/disco.ts";
import { schemeOf } from "../schemes/open.ts";
import { embeddedHost, fileOfOtherRoot } from "./data-place.ts";
import type { TagSource } from "./ddfs/tag-registry.ts";
import type { JobPlace } from "./engine.ts";
import { expandPath, isGlob, localFile } from "./local-files.ts";
import { assertReachable } from "./local-input.ts";
import { badInput, listInputs, placeOf, type Replicas } from "./replicas.ts";
import { indexAt } from "./result-index.ts";
import type { FoundObject, Wanted } from "./s3-inputs.ts";

export interface InputOptions {
  readonly input: unknown;
  /** The job has a map: replicas are possible. */
  readonly hasMap: boolean;
  /** Files above this size are read in parts; 0: never. */
  readonly splitBytes: number;
  /** Who will run the job. */
  readonly engine?: JobPlace | undefined;
  /** Whose tags are meant. Default: those of the master that this process used last. */
  readonly tags?: TagSource | undefined;
}

export interface Inputs {
  readonly specs: readonly InputSpec[];
  /** All inputs come from `dir://` indexes, so their labels mean partitions. */
  readonly partitioned: boolean;
}

const known = "Known are http://, https://, s3://, disco://, dir://, tag://, raw://, file:// and local paths.";

/** Throws `JobError` `bad-input` or `no-such-file`, `DiscoError` `not-yet`, or what reading a `dir://` index or a tag throws. */
export async function resolveInputs({ input, hasMap, splitBytes, engine, tags }: InputOptions): Promise<Inputs> {
  if (input === undefined) throw badInput("input is missing: the job has nothing to read", "Give a list of addresses.");
  const specs: InputSpec[] = [];
  let partitioned = true;
  let hasTags = false;
  const inputs = await listInputs(input);
  const objects = await lookUpObjects(inputs, splitBytes, engine);
  for (const { at, addresses } of inputs) {
    const place = placeOf(at);
    for (const url of addresses) assertReachable(url, place, engine);
    if (addresses.length > 1 && !hasMap) {
      throw badInput(
        `${place} is a list of replicas, which needs a map`,
        "Spread the list if these are several inputs.",
      );
    }
    if (addresses.some((url) => url.startsWith("tag://"))) {
      for (const spec of await readTag(addresses, place, tags)) specs.push(spec);
      partitioned = false;
      hasTags = true;
      continue;
    }
    const fromIndex = addresses.some((url) => url.startsWith("dir://"));
    partitioned &&= fromIndex;
    if (fromIndex) specs.push(...(await readIndexes(addresses, place, engine)));
    else if (addresses.length > 1) specs.push(replicated(addresses, place, objects));
    else {
      const address = addresses[0] as string;
      const found = objects.get(address);
      if (found !== undefined) {
        for (const object of found) addParts(specs, object, splitBytes);
        continue;
      }
      const source = remote(address, place);
      // A job may have 100,000 of them: no promise for each.
      if (source !== null)
        specs.push({ label: 0, size: source.size, replicas: addresses, hosts: hostList(source.host) });
      else await addFiles(specs, address, place, splitBytes);
    }
  }
  if (specs.length === 0 && hasTags) {
    throw badInput(
      "input names no data: the tags are empty, or link to empty tags",
      "Push something: `ddfs push TAG FILE …`.",
    );
  }
  return { specs, partitioned };
}

/** One list for all inputs of a node: of 100,000 inputs, each list would be kept as long as the job. */
const hostLists = new Map<string | null, readonly (string | null)[]>();

function hostList(host: string | null): readonly (string | null)[] {
  let list = hostLists.get(host);
  if (list === undefined) hostLists.set(host, (list = Object.freeze([host])));
  return list;
}

/** The blobs of a tag. */
async function readTag(
  addresses: Replicas["addresses"],
  place: string,
  tags: TagSource | undefined,
): Promise<InputSpec[]> {
  if (addresses.length > 1) {
    throw badInput(
      `${place}: a tag cannot be a replica of other data`,
      "Give tags in the outer list; blobs of a tag have replicas of their own.",
    );
  }
  const { tagInputs } = await import("./ddfs/tag-inputs.ts");
  return tagInputs(addresses[0] as string, place, tags, blobInput);
}

/** A million of them cost as many lists of replicas, and no more. */
function blobInput(replicas: readonly string[], place: string): InputSpec {
  const [, only] = replicas.length > 1 ? [] : (/^disco:\/\/([^/:]+)\/ddfs\//.exec(replicas[0] as string) ?? []);
  if (only !== undefined) return { label: 0, size: 0, replicas, hosts: hostList(only) };
  const path = replicas.find((url) => schemeOf(url) === "file");
  if (path !== undefined) throw badInput(`${place}: a tag names ${path}, which is no address that nodes could reach`);
  if (replicas.length > 1) return replicated(replicas, place);
  const source = remote(replicas[0] as string, place) as Source;
  return { label: 0, size: source.size, replicas, hosts: hostList(source.host) };
}

/** The entries of the first index that can be read. */
async function readIndexes(
  addresses: Replicas["addresses"],
  place: string,
  engine: JobPlace | undefined,
): Promise<InputSpec[]> {
  const failures: unknown[] = [];
  for (const url of addresses) {
    if (!url.startsWith("dir://"))
      throw badInput(`${place}: dir:// and other addresses cannot be replicas of one another`);
    try {
      const entries = await indexAt(url);
      return entries.map((entry) => ({
        label: entry.label,
        size: entry.size,
        replicas: [fileOfOtherRoot(entry.url, dataDirOf(engine)) ?? entry.url],
        hosts: hostList(hostOf(entry.url)),
      }));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  throw badInput(
    `${place}: none of the ${failures.length} replicas can be read:\n${failures.map((e) => `  ${(e as Error).message}`).join("\n")}`,
  );
}

/** Workers of this machine read files of any root by their paths, and addresses in their own one: which is not known here. */
function dataDirOf(engine: JobPlace | undefined): string | undefined {
  return engine?.kind === "here" ? "" : engine?.kind === "embedded" ? engine.dataDir : undefined;
}

type Objects = ReadonlyMap<string, readonly FoundObject[]>;
const noObjects: Objects = new Map();

/** What addresses in S3 name. */
async function lookUpObjects(
  inputs: readonly Replicas[],
  splitBytes: number,
  engine: JobPlace | undefined,
): Promise<Objects> {
  const wanted: Wanted[] = [];
  for (const { at, addresses } of inputs) {
    for (const url of addresses) {
      if (/^s3:/i.test(url)) wanted.push({ url, place: placeOf(at), isReplica: addresses.length > 1 });
    }
  }
  if (wanted.length === 0) return noObjects;
  const { findObjects } = await import("./s3-inputs.ts");
  return await findObjects(wanted, { splitBytes, isElsewhere: engine?.kind === "elsewhere" });
}

function addParts(specs: InputSpec[], { url, size, canBeCut }: FoundObject, splitBytes: number): void {
  const address = parseS3Url(url);
  const cuts = canBeCut ? cutsOf(size, splitBytes) : [];
  if (cuts.length === 0) specs.push({ label: 0, size, replicas: [url], hosts: hostList(null) });
  for (const part of cuts) {
    specs.push({ label: 0, size: part.to - part.from, replicas: [s3Url({ ...address, part })], hosts: hostList(null) });
  }
}

function replicated(addresses: readonly string[], place: string, objects = noObjects): InputSpec {
  const sources = addresses.map((url): Source => {
    const [object] = objects.get(url) ?? [];
    if (object !== undefined) return { ...object, host: null };
    if (isPath(url) && isGlob(url)) {
      throw badInput(
        `${place}: the glob ${url} cannot be a replica`,
        "Name the file, or take the glob out of the inner list.",
      );
    }
    return remote(url, place) ?? localFile(url, place);
  });
  return {
    label: 0,
    size: Math.max(...sources.map(({ size }) => size)),
    replicas: sources.map(({ url }) => url),
    hosts: sources.map(({ host }) => host),
  };
}

async function addFiles(specs: InputSpec[], address: string, place: string, splitBytes: number): Promise<void> {
  for (const file of await expandPath(address, place)) {
    for (const part of parts(file.url, file.size, splitBytes)) {
      specs.push({ label: 0, size: part.size, replicas: [part.url], hosts: hostList(embeddedHost) });
    }
  }
}

interface Source {
  readonly url: string;
  readonly size: number;
  readonly host: string | null;
}

/** What is no local file; `null` for paths and `file://`. */
function remote(url: string, place: string): Source | null {
  switch (schemeOf(url)) {
    case "file":
      return null;
    case "raw":
      return { url, size: Buffer.byteLength(url) - "raw://".length, host: null };
    case "http":
    case "https":
      if (!URL.canParse(url)) throw badInput(`${place}: ${url} is not a valid address`);
      return { url, size: 0, host: null };
    case "disco":
      return { url, size: 0, host: hostOf(url) };
    case "tag":
      throw badInput(`${place}: ${url} stands where a blob is expected`);
    case "s3":
      // What a tag names: objects that the user names were looked up.
      return { url, size: 0, host: null };
    default:
      throw badInput(`${place}: ${url} has the unknown scheme ${schemeOf(url)}://`, known);
  }
}

function isPath(url: string): boolean {
  return schemeOf(url) === "file" && !/^file:/i.test(url);
}

function hostOf(url: string): string | null {
  return /^disco:/.test(url) ? parseDiscoUrl(url).node : null;
}

/** Cuts a file in parts of equal size, at most `splitBytes` each. Compressed files cannot be read from the middle. */
function parts(url: string, size: number, splitBytes: number): { url: string; size: number }[] {
  const cuts = /\.(?:gz|zst)$/i.test(url) || /#bytes=\d+-\d+$/.test(url) ? [] : cutsOf(size, splitBytes);
  if (cuts.length === 0) return [{ url, size }];
  return cuts.map(({ from, to }) => ({ url: `${url}#bytes=${from}-${to}`, size: to - from }));
}

/** Empty: it stays whole. */
function cutsOf(size: number, splitBytes: number): { from: number; to: number }[] {
  if (splitBytes === 0 || size <= splitBytes) return [];
  const count = Math.ceil(size / splitBytes);
  return Array.from({ length: count }, (_, i) => ({
    from: Math.floor((size * i) / count),
    to: Math.floor((size * (i + 1)) / count),
  }));
}
