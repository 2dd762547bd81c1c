import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { killMarked, markName } from "./leftovers.ts";

const skip = !existsSync("/proc/self/environ") && "there is no /proc here";

async function sleeper(mark: string): Promise<{ readonly pid: number; readonly ended: Promise<unknown[]> }> {
  const child = spawn("sleep", ["60"], { env: { ...process.env, [markName]: mark }, stdio: "ignore", detached: true });
  await once(child, "spawn");
  return { pid: child.pid ?? 0, ended: once(child, "exit") };
}

test("who has the mark is killed, and nobody else", { skip }, async () => {
  const mark = `test-${process.pid}`;
  const marked = [await sleeper(mark), await sleeper(mark)];
  const other = await sleeper(`${mark}0`);
  assert.ok(killMarked(mark, null) >= 2);
  for (const { ended } of marked) assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.equal(killMarked(mark, null), 0);
  assert.ok(process.kill(other.pid, 0), "it lives");
  process.kill(other.pid, "SIGKILL");
  await other.ended;
});

test("of those after a process, none before it is looked at", { skip }, async () => {
  const mark = `test-after-${process.pid}`;
  const first = await sleeper(mark);
  const second = await sleeper(mark);
  killMarked(mark, first.pid);
  assert.deepEqual(await second.ended, [null, "SIGKILL"]);
  assert.ok(process.kill(first.pid, 0), "it lives");
  process.kill(first.pid, "SIGKILL");
  await first.ended;
});
