/** A worker that a job brings along, in the engine of a script, which listens nowhere: it finds outputs, blobs and tags all the same. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Disco } from "disco-mapreduce";
import { parseIndex } from "../../src/schemes/dir.ts";
import { gatewayPack } from "./gateway-pack.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

test("workers of a script's own engine keep values in DDFS, as they do in a cluster", { skip: noPython }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "disco-gateway-"));
  try {
    await writeFile(join(folder, "go"), "");
    await using disco = new Disco("local", { root: folder });
    const job = await disco.submitPack(gatewayPack({ inputs: ["a", "b"], folder, replicas: 1 }));
    const [index = ""] = await job.wait();
    const contents = (url: string): Promise<string> =>
      readFile(join(folder, "data", url.split("/disco/")[1] ?? ""), "utf8");
    const [entry] = parseIndex(await contents(index), index);
    const said = JSON.parse(await contents(entry?.url ?? "")) as Record<string, unknown>;
    assert.deepEqual(said["lines"], ["a localhost", "b localhost"]);
    assert.deepEqual([said["tagged"], said["without token"], said["again"]], [200, 401, 200]);
    assert.deepEqual(said["blobs"], ["a localhost\nb localhost"]);
    assert.equal(Buffer.from(await job.oobGet("places")).toString(), "a localhost\nb localhost");
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
