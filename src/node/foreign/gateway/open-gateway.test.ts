import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { jobDirectory } from "../../job-directory.ts";
import { openGateway } from "./open-gateway.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-open-gateway-"));
after(() => rm(dataDir, { recursive: true, force: true }));

it("has a worker read as many files of a node at once as it likes: one that merges reads them all in turn", async () => {
  // None of them ends.
  const server = http.createServer((_request, response) => void response.writeHead(200).write("begun"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const nodes = { slow: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const opened = await openGateway({ dataDir, host: "own", nodes: () => nodes, masterUrl: () => null });
  const { master } = await opened.openJob("job@1");
  const leaving = new AbortController();
  // One that waits for others is never answered.
  const tooLate = AbortSignal.timeout(5_000);
  const signal = AbortSignal.any([leaving.signal, tooLate]);
  try {
    const asked = Array.from({ length: 100 }, async (_, i) => {
      return (await fetch(`${master}/disco/${jobDirectory("slow", "j")}/f${i}`, { signal })).status;
    });
    assert.deepEqual(new Set(await Promise.all(asked)), new Set([200]));
  } finally {
    leaving.abort();
    await opened.close();
    server.closeAllConnections();
    server.close();
  }
});
