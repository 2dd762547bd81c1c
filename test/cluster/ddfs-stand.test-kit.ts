/** What tests of DDFS on real nodes share: contents that can be made again, the files of replicas, and collections of garbage. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DDFS } from "disco-mapreduce";
import type { DdfsApi, FsckFinding, GcReport } from "../../src/client/ddfs/ddfs-api.ts";
import { parseBlobAddress } from "../../src/core/ddfs/names.ts";
import { DiscoError } from "../../src/errors.ts";
import type { ProcessStand } from "./stand.test-kit.ts";

export interface NamedContents {
  readonly name: string;
  readonly data: Buffer;
}

/** So many, each with bytes of its own: from none to what does not fit into one read. */
export function contents(prefix: string, count: number, bytesMax = 300_000): NamedContents[] {
  return Array.from({ length: count }, (_, i) => {
    const block = createHash("sha512").update(`${prefix}${i}`).digest();
    const size = i === 0 ? 0 : Math.floor((bytesMax * i) / (count - 1 || 1));
    return { name: `${prefix}${i}`, data: Buffer.alloc(size, block) };
  });
}

/** Where a node keeps this replica. */
export function replicaFile(stand: ProcessStand, url: string): string {
  const { host = "", volume = "", object = "" } = parseBlobAddress(url) ?? {};
  return join(stand.disk(host), "node", "data", "ddfs", volume, "blob", url.split("/").at(-2) ?? "", object);
}

export function hostsOf(replicas: readonly string[]): Set<string> {
  return new Set(replicas.flatMap((url) => parseBlobAddress(url)?.host ?? []));
}

/** Reads all blobs of a tag, and fails unless they are these, each once. */
export async function assertContents(ddfs: DDFS, tag: string, expected: readonly NamedContents[]): Promise<void> {
  const left = new Map(expected.map(({ name, data }) => [name, data]));
  for await (const blob of ddfs.pull(tag)) {
    const wanted = left.get(blob.name);
    assert.ok(wanted !== undefined, `${blob.name} is in ${tag} twice, or was never pushed`);
    assert.ok(wanted.equals(await blob.bytes()), `${blob.name} has other bytes`);
    left.delete(blob.name);
  }
  assert.deepEqual([...left.keys()], [], `blobs of ${tag} are missing`);
}

/** One whole collection; begun anew where the master went with it. */
export async function collect(stand: ProcessStand, api: DdfsApi): Promise<GcReport> {
  const before = await api.gcStats();
  let report: GcReport | null = null;
  await stand.until("a collection ends", async () => {
    const { phase } = await api.gcStatus();
    report = await api.gcStats();
    if (report !== null && report.at !== before?.at) return true;
    if (phase === null) await beginCollection(api);
    return false;
  });
  assert.ok(report !== null);
  return report;
}

async function beginCollection(api: DdfsApi): Promise<void> {
  try {
    await api.gcStart();
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "gc-running") throw error;
  }
}

export async function findings(api: DdfsApi): Promise<FsckFinding[]> {
  return await Array.fromAsync(api.fsck());
}

/** Objects on the disks of these nodes that none of these tags names, snapshots of tags left out. */
export async function objectsWithoutTag(
  stand: ProcessStand,
  hosts: readonly string[],
  tags: readonly { readonly urls: readonly (readonly string[])[] }[],
): Promise<string[]> {
  const named = new Set(tags.flatMap(({ urls }) => urls.flat().flatMap((url) => parseBlobAddress(url)?.object ?? [])));
  const found: string[] = [];
  for (const host of hosts) {
    const folder = join(stand.disk(host), "node", "data", "ddfs");
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const isBlob = entry.isFile() && entry.parentPath.includes("/blob/") && /^[^.][^$]*\$/.test(entry.name);
      if (isBlob && !entry.name.startsWith("disco:tags$") && !named.has(entry.name))
        found.push(`${host} ${entry.name}`);
    }
  }
  return found;
}
