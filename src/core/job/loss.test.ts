import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Run } from "../testing.ts";
import { Bench, joined } from "../testing.ts";

const run = (bench: Bench, title: string): Run => {
  const found = bench.runs.find(({ stage, task }) => `${stage}:${task}` === title);
  if (found === undefined) throw new Error(`${title} does not run: ${bench.running().join()}`);
  return found;
};

/** Three maps, of which 0 and 2 ran on a, 1 on b; then reduces of labels 0 and 1 run, 0 on a. */
function reducing(): { bench: Bench; job: string } {
  const bench = new Bench([joined("a", { slots: 4 }), joined("b", { slots: 4 })]);
  const job = bench.submit({ inputs: 3, hosts: ["a", "b"] });
  for (const title of ["0:0", "0:1", "0:2"]) bench.done(run(bench, title), [0, 1]);
  return { bench, job };
}

describe("a lost output", () => {
  it("is made again by exactly its task, and then its reader runs again", () => {
    const { bench, job } = reducing();
    bench.inputLost(run(bench, "1:0"), 1);
    assert.deepEqual(bench.runs.map(({ stage, task }) => `${stage}:${task}`).sort(), ["0:1", "1:1"]);
    bench.done(run(bench, "0:1"), [0, 1]);
    assert.deepEqual(bench.runs.map(({ stage, task, attempt }) => `${stage}:${task}#${attempt}`).sort(), [
      "1:0#1",
      "1:1#0",
    ]);
    assert.equal(bench.job(job).stages[0]?.version, 1);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("that is the same again leaves its readers alone", () => {
    const { bench, job } = reducing();
    bench.done(run(bench, "1:1"));
    bench.inputLost(run(bench, "1:0"), 1);
    bench.done(run(bench, "0:1"), [0, 1]);
    assert.deepEqual(bench.running().length, 1);
    assert.equal(bench.job(job).stages[1]?.state(1), 3);
  });

  it("that differs restarts those who read it, done or running, and says so", () => {
    const { bench, job } = reducing();
    bench.done(run(bench, "1:1"));
    bench.inputLost(run(bench, "1:0"), 1);
    bench.done(run(bench, "0:1"), [0, 1], "other records");
    assert.deepEqual(bench.runs.map(({ stage, task, attempt }) => `${stage}:${task}#${attempt}`).sort(), [
      "1:0#1",
      "1:1#1",
    ]);
    assert.ok(bench.log(job).some((line) => line.includes("not deterministic")));
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("that has another label now makes the readers' stage be planned anew, with new attempt numbers", () => {
    const { bench, job } = reducing();
    bench.inputLost(run(bench, "1:0"), 1);
    bench.done(run(bench, "0:1"), [0, 1, 2], "other records");
    assert.deepEqual(bench.job(job).stages[1]?.tasks, 3);
    assert.ok(bench.runs.every(({ stage, attempt }) => stage === 1 && attempt >= 1));
    bench.finish();
    assert.equal(bench.master.info(job)?.results.length, 3);
  });

  it("is reported by two readers and made once", () => {
    const { bench } = reducing();
    const [one, two] = [run(bench, "1:0"), run(bench, "1:1")];
    bench.inputLost(one, 1);
    bench.inputLost(two, 1);
    assert.deepEqual(
      bench.running().map((title) => title.split("#")[0]),
      ["0:1"],
    );
  });

  it("is not made again when a report is about an older one", () => {
    const { bench, job } = reducing();
    const late = run(bench, "1:1");
    const ref = bench.job(job).stages[0]?.outputs.ref(1);
    bench.inputLost(run(bench, "1:0"), 1);
    bench.done(run(bench, "0:1"), [0, 1]);
    assert.ok(ref !== undefined);
    bench.runs = bench.runs.filter((one) => one !== late);
    bench.handle({
      kind: "input-lost",
      at: bench.at,
      job,
      stage: 1,
      task: 1,
      attempt: late.attempt,
      lost: { stage: 0, task: 1, ref },
      failure: { code: "data-error", name: "E", message: "gone", retry: "elsewhere" },
    });
    assert.deepEqual(
      bench.runs.map(({ stage }) => stage),
      [1, 1],
    );
  });
});

describe("a lost node", () => {
  it("takes its attempts and outputs with it; what is still read is made again elsewhere", () => {
    const { bench, job } = reducing();
    bench.runs = bench.runs.filter(({ host }) => host !== "a");
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "it is silent" });
    assert.deepEqual(
      bench.runs
        .filter(({ stage }) => stage === 0)
        .map(({ task, host }) => `${task}@${host}`)
        .sort(),
      ["0@b", "2@b"],
    );
    bench.finish([0, 1]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("that held only what nobody reads any more changes nothing", () => {
    const bench = new Bench([joined("a", { slots: 1 }), joined("b", { slots: 1 })]);
    const job = bench.submit({ inputs: 1, hosts: ["a"], pipeline: ["split", "group_all", "group_all"] });
    bench.done(run(bench, "0:0"));
    bench.handle({ kind: "node-blacklisted", at: bench.at, host: "a" });
    bench.lose(run(bench, "1:0"));
    bench.done(run(bench, "1:0"));
    assert.deepEqual(bench.running(), ["2:0#0@b"]);
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "it is silent" });
    assert.deepEqual(bench.running(), ["2:0#0@b"]);
    bench.finish();
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("that returns with its disk brings back what was not made again", () => {
    const { bench, job } = reducing();
    bench.runs = [];
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "it is silent" });
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "it is silent" });
    assert.deepEqual(bench.master.reasons(job), ["no nodes"]);
    bench.runs = [];
    bench.handle(joined("b", { slots: 1 }));
    const again = bench.runs.map(({ stage, task }) => `${stage}:${task}`);
    assert.equal(again.length, 1);
    bench.handle(joined("a", { slots: 1 }));
    const other = again[0] === "0:0" ? 2 : 0;
    assert.deepEqual(bench.job(job).stages[0]?.state(other), 3);
    bench.finish([0, 1]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("that returns with an empty disk brings nothing back", () => {
    const { bench, job } = reducing();
    bench.runs = [];
    bench.handle(joined("a", { slots: 4, incarnation: "2" }));
    assert.deepEqual(
      bench.runs
        .filter(({ stage }) => stage === 0)
        .map(({ task }) => task)
        .sort((x, y) => x - y),
      [0, 2],
    );
    bench.finish([0, 1]);
    // The attempts on b were never answered: b does not know them any more.
    bench.handle(joined("b", { slots: 4 }));
    bench.finish([0, 1]);
    assert.equal(bench.master.info(job)?.status, "ready");
  });

  it("cannot commit what it had, when it wakes up", () => {
    const bench = new Bench(["a", "b"]);
    const job = bench.submit({ inputs: 1, hosts: ["a"] });
    const zombie = run(bench, "0:0");
    bench.runs = [];
    bench.handle({ kind: "node-lost", at: bench.at, host: "a", reason: "it is silent" });
    assert.deepEqual(bench.running(), ["0:0#1@b"]);
    bench.done(zombie, [0], "the zombie's");
    assert.equal(bench.job(job).stages[0]?.count(2), 1);
    const commands = bench.handle(joined("a", { attempts: [zombie] }));
    assert.ok(commands.some((one) => one.kind === "cancel" && one.host === "a" && one.id.attempt === 0));
  });

  it("whose outputs moved keeps the job from ending before their readers have run again", () => {
    // Found by the simulator. 1. Outputs of stage 0 on b are made again on a. 2. One is done, then b returns with the rest.
    // 3. The last stage ends, and nobody needs the other one any more. 4. Stage 1 read by node: it has to run again.
    const bench = new Bench([joined("a", { slots: 4 }), joined("b", { slots: 4 })]);
    const job = bench.submit({
      inputs: 3,
      hosts: ["a", "b", "b"],
      pipeline: ["split", "group_node_label", "group_node"],
    });
    for (const title of ["0:0", "0:1", "0:2", "1:0", "1:1", "2:1"]) bench.done(run(bench, title));
    bench.runs = bench.runs.filter(({ host }) => host !== "b");
    bench.handle({ kind: "node-lost", at: bench.at, host: "b", reason: "it is silent" });
    bench.done(run(bench, "0:1"));
    bench.handle(joined("b", { slots: 4 }));
    bench.done(run(bench, "2:0"));
    assert.equal(bench.master.result(job).status, "active");
    assert.deepEqual(
      bench.runs.map(({ stage, task }) => `${stage}:${task}`),
      ["0:2"],
    );
    bench.done(run(bench, "0:2"));
    assert.deepEqual(bench.runs.map(({ stage, task }) => `${stage}:${task}`).sort(), ["1:0", "1:1"]);
    bench.finish();
    assert.equal(bench.master.result(job).status, "ready");
  });
});
