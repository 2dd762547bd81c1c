/**
 * 1. A job of two maps and a reduce, all of them a worker of the job's own.
 * 2. When the reduce begins, the file of one map is gone. It says so (INPUT_ERR), and its attempt ends.
 * 3. Exactly that map runs again, then the reduce; the result is whole.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Disco } from "../../src/index.ts";
import { programPack } from "./pack.test-kit.ts";
import { shellWorker } from "./shell-worker.test-kit.ts";

const jobenvs = {
  on_map: `echo "map $taskid" >> runs; out 0 part "words of $taskid"; echo "out-$$/part" > "place-$taskid"`,
  on_reduce: `echo reduce >> runs; lost=$(cat place-1)
[ "$(grep -c reduce runs)" = 1 ] && rm "$lost"
[ -e "$lost" ] || { say INPUT_ERR '[1, [0]]'; end ERROR '"cannot read"'; }
out 0 all "$(cat "$(cat place-0)" "$lost")"; cp "out-$$/all" all`,
};

test("a map's output that is gone when a foreign reduce reads it has exactly that map run again", async () => {
  const root = await mkdtemp(join(tmpdir(), "disco-wire-"));
  const disco = new Disco(undefined, { root });
  try {
    const inputs = ["raw://a", "raw://b"];
    const pipeline = [
      ["map", "split", false],
      ["reduce", "group_all", false],
    ] as const;
    const job = await disco.submitPack(programPack({ inputs, worker: shellWorker, jobenvs, pipeline }));
    const [result] = (await job.wait()) as string[];
    assert.ok(result !== undefined);
    const home = join(root, "data", result.slice("dir://localhost/disco/".length, result.indexOf("/.disco/")));
    const runs = (await readFile(join(home, "runs"), "utf8")).trim().split("\n");
    assert.deepEqual(runs.sort(), ["map 0", "map 1", "map 1", "reduce", "reduce"]);
    assert.equal(await readFile(join(home, "all"), "utf8"), "words of 0words of 1");
  } finally {
    await disco.close();
    await rm(root, { recursive: true, force: true });
  }
});
