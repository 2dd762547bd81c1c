/**
 * A reduce of a job's own worker runs beside its maps, one slot a node.
 *
 * 1. Two of three maps have ended; the reduce has read their outputs, and waits for more.
 * 2. The master is killed. The third map ends, and the reduce, which has run on, is told of it by the next master.
 * 3. Once more, up to there. The two nodes that the reduce does not run on are killed, with the third map and an output that was read:
 *    the reduce holds the only slot that is left. It gives it to the maps, and starts again after them.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Disco } from "../../src/index.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { programPack } from "../wire/pack.test-kit.ts";
import { workerPrelude } from "./foreign-worker.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const nodes = ["n1", "n2", "n3"];

const script = `${workerPrelude}
function tell(file, line) {
  fs.appendFileSync(folder + "/" + file, line + "\\n");
}
(async () => {
  ask("WORKER", { pid: process.pid, version: "1.1" });
  const [, task] = ask("TASK", "");
  if (task.stage === "map") {
    const [, [, inputs]] = ask("INPUT", "");
    const map = inputs[0][3][0][1].slice("raw://".length);
    tell("maps", map + " " + task.host);
    while (!fs.existsSync(folder + "/open-" + map)) pause(20);
    output("words-" + process.pid, "words of map " + map + "\\n");
  } else {
    tell("reduces", task.host);
    const known = [];
    let all = "";
    for (let state = "more"; state !== "done"; ) {
      const [, [next, inputs]] = ask("INPUT", known.length === 0 ? "" : ["exclude", known]);
      state = next;
      for (const input of inputs) {
        known.push(input[0]);
        all += await read(input);
        tell("reads", String(known.length));
      }
    }
    const lines = all.split("\\n").sort().filter((line) => line !== "");
    output("all-" + process.pid, lines.join("\\n") + "\\n");
    fs.writeFileSync(folder + "/all", lines.join("\\n"));
  }
  stop("DONE", "");
})();
`;

/** A job whose reduce has read the outputs of two maps, while the third one runs. */
async function half(stand: ProcessStand, disco: Disco, name: string) {
  const folder = stand.disk(name);
  mkdirSync(folder);
  const told = (file: string): string[] => {
    try {
      return readFileSync(join(folder, file), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  const pack = programPack({
    inputs: ["raw://0", "raw://1", "raw://2"],
    worker: { name: "worker.js", contents: script },
    jobenvs: { TEST_FOLDER: folder },
    pipeline: [
      ["map", "split", false],
      ["reduce", "group_all", true],
    ],
  });
  const job = await disco.submitPack(pack);
  const open = (map: number): void => writeFileSync(join(folder, `open-${map}`), "");
  await stand.until("all maps run", () => told("maps").length === 3);
  open(0);
  open(1);
  await stand.until("the reduce has read two outputs", () => told("reads").includes("2"));
  return { job, told, open };
}

const whole = ["words of map 0", "words of map 1", "words of map 2"];

test("a reduce beside its maps outlives its master, and gives way to maps that have to run again", {
  timeout: 240_000,
  skip: skipWithoutNats(),
}, async () => {
  await using stand = await ProcessStand.open({ masters: 2, servers: 1, nodes });
  const disco = stand.client();
  try {
    const first = await half(stand, disco, "told-1");
    await stand.takeover();
    first.open(2);
    await first.job.wait();
    assert.deepEqual(first.told("all"), whole);
    assert.equal(first.told("reduces").length, 1);
    assert.equal(first.told("maps").length, 3);

    const second = await half(stand, disco, "told-2");
    const [left] = second.told("reduces");
    await Promise.all(nodes.filter((node) => node !== left).map((node) => stand.node(node).kill()));
    second.open(2);
    await second.job.wait();
    assert.deepEqual(second.told("all"), whole);
    // Once more where the master noticed the two deaths one after the other: then it gave way twice.
    const begun = second.told("reduces");
    assert.ok(begun.length === 2 || begun.length === 3, begun.join());
    assert.ok(
      begun.every((node) => node === left),
      begun.join(),
    );
    const again = second.told("maps").slice(3);
    // The third, and the one whose output has gone.
    assert.equal(again.length, 2);
    assert.ok(again.includes(`2 ${left}`) && again.every((line) => line.endsWith(` ${left}`)), again.join());
  } finally {
    await disco.close();
  }
});
