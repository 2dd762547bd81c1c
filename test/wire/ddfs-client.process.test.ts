/** DDFS as Disco's own client asks for it (`python/ddfs.py`): what its tests look at, and no others of ours do by way of Python. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { startDaemon } from "../daemon/daemon.test-kit.ts";
import { noPython, python } from "./python.test-kit.ts";

const client = join(import.meta.dirname, "python", "ddfs.py");

describe("DDFS for a client in Python", { skip: noPython }, () => {
  it("keeps blobs, tags, attributes and tokens as Disco's tests want it", async () => {
    await using daemon = await startDaemon();
    const { stdout } = await promisify(execFile)(python, ["-B", client, daemon.url, "wire:t"], { timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), {
      names: ["dup"],
      "same version": true,
      "names later": ["empty", "other", "dup"],
      "another version": true,
      contents: ["", "three", "one"],
      set: 200,
      deleted: [200, 200],
      gone: 404,
      "empty token": [401, 401, 200],
      "deleted with it": [401, 200],
      "gone tag": 404,
      "token of its maker": [401, 401, 200],
      // Its only node is meant by the host of its address: there is no other, which ends the client's tries.
      excluded: [403, 500],
    });
  });
});
