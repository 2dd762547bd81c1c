import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ProcessGroups } from "./process-group.ts";

/** Starts a process that starts another one, says on stderr which, and waits for it. */
const starter = `
  const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
  process.on("SIGINT", () => process.exit(0)); // Like npm, which goes before what it has started.
  child.once("spawn", () => console.error(child.pid));`;

/** Runs that as benchmarks do, and says when it is over. */
const runner = `
  import { ProcessGroups } from ${JSON.stringify(join(import.meta.dirname, "process-group.ts"))};
  using groups = new ProcessGroups();
  try {
    await groups.run(process.execPath, ["-e", ${JSON.stringify(starter)}], { showsErrors: true });
  } catch (error) {
    console.log(error.message);
    process.exitCode = error.exitCode;
  }`;

test("who interrupts the benchmarks ends everything that they have started, before they end themselves", {
  timeout: 30_000,
}, async () => {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", runner], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [told] = (await once(child.stderr.setEncoding("utf8"), "data")) as [string];
  const started = Number(told);
  assert.ok(started > 0 && !isGone(started));
  // The process alone, as `kill` does; a terminal tells the whole foreground.
  child.kill("SIGINT");
  assert.equal(await text(child.stdout), "interrupted by SIGINT\n");
  assert.ok(isGone(started));
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 130);
});

test("a command's output, complaints and end are told", async () => {
  using groups = new ProcessGroups();
  assert.deepEqual(await groups.run("sh", ["-c", "echo out; echo no >&2; exit 3"]), {
    code: 3,
    signal: null,
    stdout: "out\n",
    stderr: "no\n",
  });
  await assert.rejects(groups.run("no-such-command", []), { code: "ENOENT" });
});

/** Ended, even if nobody has asked for its exit code yet. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
