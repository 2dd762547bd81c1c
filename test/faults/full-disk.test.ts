/**
 * A disk that is full: a small file system in memory, as the engine's root. The job ends with an error that says so, its files go,
 * and once there is room the same root works again.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Disco, kvgroup, resultIterator } from "../../src/index.ts";
import { deathOf } from "./engine.test-kit.ts";

const megabyte = 2 ** 20;
const diskBytes = 24 * megabyte;

const folder = mkdtempSync(join(tmpdir(), "disco-full-"));

/** Why there is no such disk here; `false` when there is. */
function mountFails(): string | false {
  if (process.platform !== "linux") return "only Linux has file systems in memory";
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "disco-test", folder], { stdio: "pipe" });
    return false;
  } catch (error) {
    return `mounting a file system needs more rights: ${(error as Error).message.split("\n")[1] ?? ""}`;
  }
}

const skip = mountFails();
after(() => {
  if (skip === false) execFileSync("umount", ["--lazy", folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** A job whose tasks write this many megabytes that cannot be compressed. */
async function write(disco: Disco, megabytes: number, reduce: boolean) {
  return disco.newJob("writes", {
    input: ["raw://a", "raw://b"],
    params: { megabytes },
    *map(line, params) {
      for (let i = 0; i < params.megabytes * 16; i++) {
        yield [`${line}${i}`, crypto.getRandomValues(new Uint8Array(2 ** 16))] as const;
      }
    },
    ...(reduce
      ? {
          *reduce(pairs: Iterable<readonly [string, Uint8Array]>) {
            for (const [key, values] of kvgroup(pairs)) yield [key, values.toArray()[0]?.length] as const;
          },
          sort: true as const,
        }
      : {}),
    partitions: 2,
  });
}

describe("a disk that fills while a job writes", { skip, timeout: 120_000 }, () => {
  for (const reduce of [true, false]) {
    const what = reduce ? "intermediate data" : "results";
    test(`with ${what} ends the job with disk-full, and the root works again when there is room`, async () => {
      await using disco = new Disco(undefined, { root: folder, workers: 2 });
      const error = await deathOf(await write(disco, 30, reduce));
      assert.equal(error.code, "disk-full", error.message);
      assert.match(error.message, /no space left|disk is full/i);
      assert.match(error.hint ?? "", /[Ff]ree|room|space/);
      // Also of the attempt that was killed as the other task's failure ended the job.
      assert.deepEqual(
        readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /[^/]\.(disco|seg)$/.test(file)),
        [],
      );
      const job = await write(disco, 1, reduce);
      assert.equal((await resultIterator(job).toArray()).length, 32);
      await job.purge();
    });
  }

  test("to the last byte does not stop the engine from noting so, nor the next one from opening", async () => {
    const ballast = join(folder, "ballast");
    const fillingJob = async (disco: Disco) =>
      disco.newJob("fills", {
        input: ["raw://x"],
        params: { ballast },
        retries: 0,
        map: (_, params): [string, number][] => {
          fill(params.ballast);
          throw new RangeError("the disk is full now");
        },
      });
    let name = "";
    {
      await using disco = new Disco(undefined, { root: folder, workers: 1 });
      const job = await fillingJob(disco);
      name = job.name;
      assert.equal((await deathOf(job)).failure?.name, "RangeError");
    }
    await using disco = new Disco(undefined, { root: folder, workers: 1 });
    const info = await disco.jobinfo(name);
    assert.match(info.reason ?? "", /the disk is full now/);
    rmSync(ballast);
    assert.equal((await resultIterator(await write(disco, 1, true)).toArray()).length, 32);
  });

  test("leaves jobs in another root alone, and is told by a job that finds no room at all", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "disco-room-"));
    try {
      const ballast = join(folder, "ballast");
      await using disco = new Disco(undefined, { root: folder, workers: 2 });
      await (await write(disco, 0, true)).wait({ timeout: 30 });
      fill(ballast);
      await assert.rejects(
        (async () => (await write(disco, 1, true)).wait({ timeout: 30 }))(),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, "disk-full", error.message);
          assert.ok(error.hint !== undefined, error.message);
          return true;
        },
      );
      await using other = new Disco(undefined, { root: elsewhere, workers: 1 });
      assert.equal((await resultIterator(await write(other, 1, true)).toArray()).length, 32);
      rmSync(ballast);
      await using again = new Disco(undefined, { root: folder, workers: 2 });
      assert.equal((await resultIterator(await write(again, 1, true)).toArray()).length, 32);
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });
});

function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, new Uint8Array(4096).fill(1), { flag: "a" });
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
}
