/**
 * The leader of two masters dies at every record of a job's journal (fault 28), in every way in which that can happen, and the other one
 * takes over: the job ends with the same result, each task's first good output counts, and what the dead one still sends is refused.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import type { MasterEvent } from "../core/events.ts";
import { jobSpec, outputOf } from "../core/testing.ts";
import type { DiscoError } from "../errors.ts";
import { MemoryStore } from "../journal/memory.ts";
import { decodeRecord } from "../journal/record.ts";
import type { Fate } from "../journal/slow.test-kit.ts";
import type { Assignment, AttemptId, NodeReport } from "../protocol/messages.ts";
import { Master, NotingNode, until } from "./masters.test-kit.ts";

const job = "job@1:2:3";
const maps = 5;
/** Five maps, of which two run at once, and one reduce. */
const spec = jobSpec({ inputs: maps });
const turnsPatienceMs = 10_000;

/** How the leader ends at an append: before it arrived, or after it did and before the answer came. */
const deaths: readonly Fate[] = ["lost", "mute"];

/** A node that runs what it is told at once, remembers what it has done, and reports to whoever it is told to, until it was heard. */
class WorkingNode extends NotingNode {
  readonly #done = new Map<string, NodeReport>();
  readonly #unheard = new Set<string>();
  runs = 0;
  #seen = 0;

  /** What it would say when it joins: attempts that were not heard of yet. */
  get attempts(): AttemptId[] {
    this.#work();
    return [...this.#unheard].map((name) => attemptOf(this.#done.get(name) as NodeReport & AttemptId));
  }

  get idle(): boolean {
    this.#work();
    return this.#unheard.size === 0;
  }

  /** One task after the other, so that each has a record of its own. */
  async report(master: Master): Promise<void> {
    this.#work();
    for (const name of [...this.#unheard]) {
      const report = this.#done.get(name) as NodeReport;
      await master.coordinator.report("h", [report]);
      this.#unheard.delete(name);
    }
  }

  #work(): void {
    for (; this.#seen < this.assigned.length; this.#seen++) {
      const assignment = this.assigned[this.#seen] as Assignment;
      const name = JSON.stringify(attemptOf(assignment));
      if (this.#done.has(name)) continue;
      this.runs++;
      const output = outputOf("h", assignment.task, [0], `${assignment.stage}/${assignment.task}`);
      this.#done.set(name, { kind: "done", ...attemptOf(assignment), output });
      this.#unheard.add(name);
    }
  }
}

function attemptOf({ job: of, stage, task, attempt }: AttemptId): AttemptId {
  return { job: of, stage, task, attempt };
}

function offer(node: WorkingNode) {
  return { host: "h", incarnation: "i", slots: 2, queueDepth: 4, labels: {}, attempts: node.attempts };
}

/** What a job came to: its status and where its results lie. */
function resultOf({ coordinator }: Master): string {
  const { status } = coordinator.machine.result(job);
  return JSON.stringify([status, coordinator.machine.ended.get(job)?.results ?? null]);
}

/** Does it until the journal says no, which ends the master. */
async function drive(master: Master, node: WorkingNode): Promise<void> {
  const { coordinator } = master;
  await coordinator.join(offer(node));
  if (!coordinator.machine.knows(job)) await coordinator.submit(job, spec, "key");
  const end = performance.now() + turnsPatienceMs;
  while (coordinator.machine.result(job).status === "active" || !node.idle) {
    assert.ok(performance.now() < end, `no end: ${JSON.stringify(coordinator.machine.result(job))}`);
    await node.report(master);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await coordinator.committed();
}

class Run implements AsyncDisposable {
  readonly store = new MemoryStore();
  readonly node = new WorkingNode();
  readonly #masters: Master[] = [];

  async open(writer: string): Promise<Master> {
    const master = await Master.open(this.store, this.node, { writer });
    this.#masters.push(master);
    return master;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { coordinator, dataDir, journal } of this.#masters) {
      journal.away = false;
      await coordinator.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  }
}

describe("the leader dies at every record of the journal", () => {
  let undisturbed = { result: "", appends: 0, runs: 0 };

  it("undisturbed, the job is there, with as many records as there are boundaries", async (t) => {
    await using run = new Run();
    const master = await run.open("one");
    await master.coordinator.lead();
    await drive(master, run.node);
    undisturbed = { result: resultOf(master), appends: master.journal.appends, runs: run.node.runs };
    assert.match(undisturbed.result, /^\["ready",\[/);
    // It leads, the node joins, the job, an assignment, and the end of each task.
    assert.ok(undisturbed.appends >= 4 + maps, `${undisturbed.appends} appends`);
    assert.equal(undisturbed.runs, maps + 1);
    t.diagnostic(`${undisturbed.appends} boundaries`);
  });

  for (const fate of deaths) {
    it(`the append ${fate === "lost" ? "never arrives" : "is committed, and nobody hears of it"}`, async () => {
      for (let boundary = 1; boundary <= undisturbed.appends; boundary++) {
        await using run = new Run();
        const { store, node } = run;
        const [one, two] = [await run.open("one"), await run.open("two")];
        one.journal.fates.push(...Array.from({ length: boundary - 1 }, (): Fate => "commits"), fate);
        // From there on it hears nothing: the process is dead, or cut off for good.
        one.journal.pause = () => {
          one.journal.away = one.journal.appends >= boundary;
          return Promise.resolve();
        };
        const first = one.coordinator.lead().then((leads) => (leads ? drive(one, node) : undefined));
        first.catch(() => undefined);
        await until(() => one.journal.appends >= boundary && one.journal.away);
        assert.equal(await two.coordinator.lead(), true, `boundary ${boundary}`);
        assert.deepEqual(two.failures, [], `boundary ${boundary}`);
        await drive(two, node);
        assert.equal(resultOf(two), undisturbed.result, `boundary ${boundary}`);
        assert.equal(two.coordinator.machine.keys.get("key"), job);
        // The dead one wakes up: what it still wants to write is not in the journal, and it ends.
        const { seq } = store.head();
        one.journal.pause = () => Promise.resolve();
        one.journal.away = false;
        const ended = await first.then(
          () => null,
          (error: DiscoError) => error.code,
        );
        // All that it wanted is in the journal if its last record got there: then it learns by asking that it is over.
        const isWhole = fate === "mute" && boundary === undisturbed.appends;
        // It follows if its first record never got there.
        const neverLed = fate === "lost" && boundary === 1;
        assert.equal(ended, neverLed || isWhole ? null : "deposed", `boundary ${boundary}`);
        await one.coordinator.confirm();
        assert.deepEqual(one.failures, neverLed ? [] : ["deposed"], `boundary ${boundary}`);
        assert.equal(one.coordinator.leads, !neverLed, `boundary ${boundary}`);
        assert.equal(store.head().seq, seq, `boundary ${boundary}: the old leader wrote`);
        assert.ok(isOfOneLeaderAtATime(store), `boundary ${boundary}`);
      }
    });
  }
});

/** No record of an epoch comes after one of a later epoch. */
function isOfOneLeaderAtATime(store: MemoryStore): boolean {
  let last = 0;
  for (const { seq, body } of store.scan(1)) {
    const { epoch } = decodeRecord<MasterEvent>(seq, body);
    if (epoch < last) return false;
    last = epoch;
  }
  return true;
}
