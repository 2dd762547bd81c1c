/**
 * A node is lost with what a job's own workers have written there.
 *
 * 1. A map has run on each of three nodes; a reduce runs, and waits.
 * 2. Another node than the reduce's is killed, and does not come back.
 * 3. The reduce goes on and misses what that node had. Exactly the map of that node runs again, on another node; the reduce ends with
 *    the words of all maps.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { programPack } from "../wire/pack.test-kit.ts";
import { workerPrelude } from "./foreign-worker.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

/** One a node. */
const maps = 3;

const script = `${workerPrelude}(async () => {
  ask("WORKER", { pid: process.pid, version: "1.1" });
  const [, task] = ask("TASK", "");
  const [, [, inputs]] = ask("INPUT", "");
  if (task.stage === "map") {
    while (!fs.existsSync(folder + "/open-map")) pause(20);
    fs.appendFileSync(folder + "/runs", task.taskid + " " + task.host + "\\n");
    output("words-" + process.pid, "words of map " + task.taskid + "\\n");
  } else {
    fs.writeFileSync(folder + "/reduce-on", task.host);
    while (!fs.existsSync(folder + "/open-reduce")) pause(20);
    let all = "";
    for (const input of inputs) all += await read(input);
    output("all-" + process.pid, all);
    fs.writeFileSync(folder + "/all", all);
  }
  stop("DONE", "");
})();
`;

interface Run {
  readonly map: string;
  readonly host: string;
}

test("maps of a job's own worker whose node is lost run again, and no others", {
  timeout: 180_000,
  skip: skipWithoutNats(),
}, async () => {
  await using stand = await ProcessStand.open({
    masters: 1,
    servers: 1,
    nodes: ["n1", "n2", "n3"],
  });
  const folder = stand.disk("told");
  mkdirSync(folder);
  const told = (name: string): string => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch {
      return "";
    }
  };
  const runs = (): Run[] =>
    told("runs")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ map: line.split(" ")[0] as string, host: line.split(" ")[1] as string }));
  const disco = stand.client();
  try {
    const pack = programPack({
      inputs: Array.from({ length: maps }, (_, i) => `raw://${i}`),
      worker: { name: "worker.js", contents: script },
      jobenvs: { TEST_FOLDER: folder },
      pipeline: [
        ["map", "split", false],
        ["reduce", "group_all", false],
      ],
    });
    const job = await disco.submitPack(pack);
    // Each node has a map before one ends.
    await stand.until("all maps run", async () => (await job.jobinfo()).stages[0]?.running === maps);
    writeFileSync(join(folder, "open-map"), "");
    await stand.until("the reduce runs", () => told("reduce-on") !== "");
    const before = runs();
    const lost = ["n1", "n2", "n3"].find((host) => host !== told("reduce-on")) as string;
    const gone = before.filter(({ host }) => host === lost).map(({ map }) => map);
    assert.equal(gone.length, 1);
    await stand.node(lost).kill();
    writeFileSync(join(folder, "open-reduce"), "");
    await job.wait();
    const again = runs().slice(before.length);
    assert.deepEqual(again.map(({ map }) => map).sort(), gone.sort());
    assert.ok(again.every(({ host }) => host !== lost));
    const expected = Array.from({ length: maps }, (_, i) => `words of map ${i}\n`).join("");
    assert.equal(told("all"), expected);
  } finally {
    await disco.close();
  }
});
