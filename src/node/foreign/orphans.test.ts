import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { killAtExit } from "../../child-process.test-kit.ts";
import { endOrphans, nodeMark } from "./orphans.ts";

function program(dataDir: string): ChildProcess {
  const child = spawn("/bin/sh", ["-c", "sleep 60 & echo up; wait"], {
    env: nodeMark(dataDir),
    stdio: ["ignore", "pipe", "ignore"],
  });
  killAtExit(child);
  return child;
}

const skip = process.platform !== "linux" && "needs /proc";

test("what is left of a node's former life is ended, with all that it started, and nothing of other nodes", {
  skip,
}, async () => {
  const [own, other] = [program("/data/of-this"), program("/data/of-this-not")];
  try {
    await Promise.all([once(own.stdout as Readable, "data"), once(other.stdout as Readable, "data")]);
    const closed = once(own, "close");
    assert.ok((await endOrphans("/data/of-this")) >= 1);
    // The pipe is closed when its last holder is gone, which is the grandchild.
    await closed;
    assert.equal(own.signalCode, "SIGKILL");
    assert.equal(other.exitCode ?? other.signalCode, null);
    assert.equal(await endOrphans("/data/of-this"), 0);
  } finally {
    // With what it has started, which holds its output open.
    await endOrphans("/data/of-this-not");
  }
});
