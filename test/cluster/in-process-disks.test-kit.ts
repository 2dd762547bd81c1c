/** Nodes of one process that have data servers and two disks each, for tests of blobs. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunked } from "../../src/blobs/contract.ts";
import type { DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { type NodeDataServer, serveNodeData } from "../../src/node/data-server/serve.ts";
import { OwnBlobs } from "../../src/node/ddfs/own-blobs.ts";
import { Stand } from "./in-process.test-kit.ts";

export interface Disks extends AsyncDisposable {
  readonly root: string;
  readonly stand: Stand;
  readonly ddfs: DdfsApi;
}

/** Nodes with a data server and two disks each. */
export async function openDisks(hosts: readonly string[], prepare?: (root: string) => Promise<void>): Promise<Disks> {
  const root = await mkdtemp(join(tmpdir(), "disco-disks-"));
  await prepare?.(root);
  const servers: NodeDataServer[] = [];
  const blobs = new Map<string, { readonly own: OwnBlobs; readonly url: string }>();
  for (const host of hosts) {
    const [dataDir, disk] = [join(root, host, "data"), join(root, host, "disk")];
    for (const folder of [dataDir, disk]) await mkdir(folder, { recursive: true });
    const own = new OwnBlobs({ dataDir, folders: [disk] });
    await own.look();
    const server = await serveNodeData({ dataDir, node: host, blobs: own, host: "127.0.0.1", port: 0, tokens: {} });
    servers.push(server);
    blobs.set(host, { own, url: server.url });
  }
  const stand = await Stand.open({
    hosts: hosts.filter((host) => host !== "stranger"),
    options: (host) => ({
      dataDir: join(root, host, "data"),
      blobs: blobs.get(host)?.own,
      url: blobs.get(host)?.url ?? "",
      remote: {},
    }),
  });
  const { ddfs } = stand.master;
  return {
    root,
    stand,
    ddfs,
    async [Symbol.asyncDispose]() {
      await stand[Symbol.asyncDispose]();
      for (const server of servers) await server.close();
      for (const { own } of blobs.values()) await own.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export async function untilAsync(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 20));
}

export async function push(ddfs: DdfsApi, text: string, include: readonly string[] = []): Promise<string[]> {
  const targets = await ddfs.newBlob("data", { replicas: Math.max(1, include.length), include });
  return await Promise.all(targets.map(async (target) => (await ddfs.putBlob(target, chunked(Buffer.from(text)))).url));
}

export async function read(ddfs: DdfsApi, url: string): Promise<string> {
  let text = "";
  for await (const chunk of (await ddfs.openBlob(url)).body as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}
