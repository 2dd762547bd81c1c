/** Where and when tasks run: `scheduler`, black- and whitelist, labels, retries, limits of time and memory. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { DataError, JobError, nopReduce, resultIterator, task } from "disco-mapreduce";
import { heard, openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench({ labels: { disk: "ssd" } });
const { disco } = bench;
after(() => bench.close());

const pairs = (line: string): [string, number][] => line.split(" ").map((word) => [word, 1]);

describe("blacklist and whitelist", { timeout: 60_000 }, () => {
  it("keep tasks off the node; the job waits, says why, and goes on", async () => {
    await disco.blacklist("localhost");
    assert.equal((await disco.nodeinfo())[0]?.blacklisted, true);
    const job = await disco.newJob("unwanted", { input: ["raw://a b"], map: pairs });
    const error = await rejection(job.wait({ timeout: 0.02 }));
    assert.ok(error instanceof JobError);
    assert.equal(error.code, "timeout");
    assert.match(error.message, /all nodes are blacklisted/);
    const { status, waits, stages } = await job.jobinfo();
    assert.equal(status, "active");
    assert.deepEqual(waits, ["all nodes are blacklisted"]);
    assert.deepEqual([stages[0]?.waiting, stages[0]?.running], [1, 0]);
    await disco.whitelist("localhost");
    assert.deepEqual(await sorted(resultIterator(job)), ["a 1", "b 1"]);
    assert.deepEqual((await job.jobinfo()).waits, []);
    assert.equal((await disco.nodeinfo())[0]?.blacklisted, false);
  });

  it("let running tasks finish", async () => {
    const job = await disco.newJob("running", {
      input: ["raw://x"],
      map: async (line) => {
        console.log("begun");
        await new Promise((resolve) => setTimeout(resolve, 50));
        return [[line, 1]];
      },
    });
    await heard(job, /begun/);
    await disco.blacklist("localhost");
    await job.wait();
    await disco.whitelist("localhost");
  });
});

describe("the scheduler option", { timeout: 60_000 }, () => {
  it("maxCores limits the tasks that run at once, of maps and reduces", async () => {
    const job = await disco.newJob("one_core", {
      input: ["raw://a", "raw://b", "raw://c", "raw://d"],
      map: (line) => [[line, Date.now()]],
      partitions: 3,
      reduce: nopReduce,
      scheduler: { maxCores: 1 },
    });
    let running = 0;
    for await (const [, { message }] of job.events()) {
      if (/assigned to/.test(message)) running++;
      if (/^DONE/.test(message)) running--;
      assert.ok(running <= 1, message);
    }
    assert.equal((await resultIterator(job).toArray()).length, 4);
  });

  it("forceLocal runs tasks on the node of their input", async () => {
    const file = await bench.file("local.txt", "a b\n");
    const job = await disco.newJob("here", {
      input: [file],
      map: pairs,
      reduce: nopReduce,
      scheduler: { forceLocal: true },
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a 1", "b 1"]);
  });

  it("refuses at once what the only node can never run, instead of waiting for ever", async () => {
    const file = await bench.file("held.txt", "a\n");
    const remote = await rejection(
      disco.newJob("remote", { input: [file], map: pairs, scheduler: { forceRemote: true } }),
    );
    assert.ok(remote instanceof JobError);
    assert.equal(remote.code, "no-node");
    assert.match(remote.message, /forceRemote: the only node, localhost, holds .*held\.txt/);
    assert.match(remote.hint as string, /second node/);
    await assert.rejects(
      disco.newJob("remote", {
        input: ["raw://a"],
        map: pairs,
        reduce: nopReduce,
        scheduler: { forceRemote: true },
      }),
      { code: "no-node", message: /outputs of stage map, which reduce reads/ },
    );
    await assert.rejects(
      disco.newJob("local", { input: ["disco://cnode03/x"], map: pairs, scheduler: { forceLocal: true } }),
      { code: "no-node", message: /forceLocal: .* does not hold disco:\/\/cnode03\/x/ },
    );
  });

  it("forceRemote lets a map run whose input is nobody's", async () => {
    const job = await disco.newJob("nobodys", {
      input: ["raw://a"],
      map: pairs,
      scheduler: { forceRemote: true },
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a 1"]);
  });
});

describe("labels", { timeout: 60_000 }, () => {
  it("are demanded of the node", async () => {
    const job = await disco.newJob("labelled", { input: ["raw://a"], map: pairs, labels: { disk: "ssd" } });
    await job.wait();
    assert.deepEqual((await disco.nodeinfo())[0]?.labels, { disk: "ssd" });
    const error = await rejection(disco.newJob("x", { input: ["raw://a"], map: pairs, labels: { gpu: "1" } }));
    assert.equal(error["code"], "no-node");
    assert.match(error.message, /does not carry gpu=1/);
  });
});

describe("retries", { timeout: 60_000 }, () => {
  it("are so many as the option says, each after another failure", async () => {
    const job = await disco.newJob("retried", {
      input: ["raw://a"],
      map(line) {
        if (task.attempt < 2) throw new Error(`attempt ${task.attempt}`);
        return [[line, task.attempt]];
      },
      retries: 2,
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["a", 2]]);
    assert.equal((await job.jobinfo()).stages[0]?.failed, 2);
  });

  it("that are used up end the job, as 0 does at the first failure", async () => {
    for (const retries of [0, 1]) {
      const job = await disco.newJob("given_up", {
        input: ["raw://a"],
        map(): [string, number][] {
          throw new Error(`attempt ${task.attempt}`);
        },
        retries,
      });
      await assert.rejects(job.wait(), { name: "JobError", message: new RegExp(`attempt ${retries}`) });
      assert.equal((await job.jobinfo()).stages[0]?.failed, retries + 1);
    }
  });

  it("are in vain for a function that fails twice in the same way", async () => {
    const job = await disco.newJob("the_same", {
      input: ["raw://a"],
      map(): [string, number][] {
        throw new TypeError("always");
      },
      retries: 50,
    });
    await assert.rejects(job.wait(), { message: /failed twice in the same way/ });
  });

  it("are allowed for a DataError, however often the data is bad here", async () => {
    const job = await disco.newJob("bad_data", {
      input: ["raw://a"],
      map(line) {
        if (task.attempt < 3) throw new DataError("cannot be read here");
        return [[line, 1]];
      },
    });
    await job.wait();
  });
});

describe("limits of a task", { timeout: 60_000 }, () => {
  it("taskTimeout ends a task that makes no progress", async () => {
    const job = await disco.newJob("stuck", {
      input: ["raw://a"],
      map(): [string, number][] {
        for (;;);
      },
      taskTimeout: 0.2,
      retries: 0,
    });
    const error = await rejection(job.wait());
    assert.ok(error instanceof JobError);
    assert.equal(error.failure?.code, "timeout");
    assert.match(error.message, /0\.2 s/);
  });

  it("taskTimeout does not concern a task that goes on reading", async () => {
    const file = await bench.file("thirty.txt", "x\n".repeat(30));
    const job = await disco.newJob("steady", {
      input: [file],
      map: async (line) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return [[line, 1]];
      },
      concurrency: 1,
      taskTimeout: 1,
      retries: 0,
    });
    await job.wait();
  });

  it("memoryLimit ends a task that takes more, and says so", async () => {
    const job = await disco.newJob("greedy", {
      input: ["raw://a"],
      map(): [string, number][] {
        const held: number[][] = [];
        for (;;) held.push(new Array(100_000).fill(1.5));
      },
      memoryLimit: 128,
      retries: 0,
    });
    const error = await rejection(job.wait());
    assert.ok(error instanceof JobError);
    assert.equal(error.failure?.code, "out-of-memory");
    assert.match(error.message, /128 MB|128 MiB/);
  });

  it("concurrency limits the calls of an async map in flight", async () => {
    const file = await bench.file("calls.txt", "x\n".repeat(30));
    for (const concurrency of [1, 4]) {
      const job = await disco.newJob("in_flight", {
        input: [file],
        params: { now: 0, most: 0 },
        map: async (line, params) => {
          params.most = Math.max(params.most, ++params.now);
          await new Promise((resolve) => setTimeout(resolve, 1));
          params.now--;
          return [[line, params.most]];
        },
        concurrency,
      });
      const most = (await resultIterator(job).toArray()).map(([, n]) => n);
      assert.equal(Math.max(...most), concurrency);
    }
  });
});

describe("seed", { timeout: 60_000 }, () => {
  const draw = async (seed: number): Promise<unknown> => {
    const job = await disco.newJob("seeded", {
      input: ["raw://a b c d e f g h"],
      map: (line) => line.split(" ").map((word): [string, number] => [word, task.random()]),
      reduce: (all, _params) => all.map(([word, n]) => [word, [task.partition, n]] as const),
      partitions: 4,
      seed,
    });
    return resultIterator(job).toArray();
  };

  it("decides the random numbers and the partitions: the same ones again, and others with another", async () => {
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    assert.deepEqual(again, first);
    assert.notDeepEqual(other, first);
  });
});
