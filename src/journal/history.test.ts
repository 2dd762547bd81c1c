/** Random interleavings of masters on one journal whose appends are lost, unanswered or late: there is one history. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import { snapshotMaster } from "../core/snapshot.ts";
import { jobSpec, joined } from "../core/testing.ts";
import { Ledger } from "./ledger.ts";
import { MemoryStore, openMemoryJournal } from "./memory.ts";
import { decodeRecord } from "./record.ts";
import type { Fate } from "./slow.test-kit.ts";
import { SlowJournal } from "./slow.test-kit.ts";

type Step =
  | { readonly kind: "lead" | "submit" | "fold"; readonly master: number }
  | { readonly kind: "fate"; readonly master: number; readonly fate: Fate }
  | { readonly kind: "away"; readonly master: number; readonly away: boolean }
  | { readonly kind: "turns"; readonly count: number };

const master = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("lead" as const, "fold" as const), master }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("submit" as const), master }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fate" as const),
      master,
      fate: fc.constantFrom<Fate>("lost", "mute", "late"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("away" as const), master, away: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 12 }) }) },
);
/** Somebody leads, and has begun to work. */
const beginning: readonly Step[] = [
  { kind: "lead", master: 0 },
  { kind: "turns", count: 5 },
  { kind: "submit", master: 0 },
];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Player {
  readonly journal: SlowJournal;
  readonly ledger: Ledger;
  /** Attempts whose assignment it has carried out. */
  readonly assigned: string[];
}

async function enter(store: MemoryStore, writer: string): Promise<Player> {
  const journal = new SlowJournal(store);
  const assigned: string[] = [];
  const carryOut = (commands: readonly Command[]): void => {
    for (const command of commands) {
      if (command.kind !== "assign") continue;
      for (const { job, stage, task, attempt } of command.assignments)
        assigned.push(`${job} ${stage}/${task}/${attempt}`);
    }
  };
  const parts = { journal, writer, carryOut, now: () => 1, defer: () => undefined, pause: turn };
  return { journal, assigned, ledger: await Ledger.load(parts) };
}

async function play(steps: readonly Step[]): Promise<void> {
  const store = new MemoryStore();
  const players = await Promise.all(["a", "b", "c"].map((writer) => enter(store, writer)));
  const acknowledged: string[] = [];
  const pending: Promise<unknown>[] = [];
  let jobs = 0;
  for (const one of steps) {
    if (one.kind === "turns") {
      for (let n = 0; n < one.count; n++) await turn();
      continue;
    }
    const { ledger, journal } = players[one.master] as Player;
    if (one.kind === "fate") journal.fates.push(one.fate);
    else if (one.kind === "away") journal.away = one.away;
    else if (one.kind === "lead") pending.push(ledger.lead().catch(() => false));
    else if (one.kind === "fold") for (const stored of store.scan(1)) ledger.fold(stored);
    else {
      const job = `job@${jobs++}:1:1`;
      try {
        if (!ledger.machine.cluster.nodes.has("n")) ledger.record(joined("n", { slots: 100 }));
        ledger.record({ kind: "job-submitted", at: 1, job, spec: jobSpec() });
      } catch {
        // It does not lead, or not any more.
        continue;
      }
      ledger.flush();
      pending.push(
        ledger.committed().then(
          () => acknowledged.push(job),
          () => undefined,
        ),
      );
    }
  }
  for (const { journal } of players) journal.away = false;
  await Promise.all(pending);

  // Reading checks that records are dense and chained, and that each event can follow those before.
  const last = Ledger.read({
    journal: openMemoryJournal(store),
    writer: "last",
    now: () => 1,
    carryOut: () => undefined,
  });
  const records = [...store.scan(1)].map(({ seq, body }) => decodeRecord<MasterEvent>(seq, body));
  const submitted = records.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === "job-submitted" ? [event.job] : [])),
  );
  assert.equal(new Set(submitted).size, submitted.length, "a job is in the journal twice");
  for (const job of acknowledged) assert.ok(submitted.includes(job), `${job} was acknowledged, and is not there`);
  const epochs = records.map(({ epoch }) => epoch);
  assert.deepEqual(
    epochs,
    [...epochs].sort((a, b) => a - b),
    "a record of an old epoch follows one of a newer",
  );
  assert.equal(new Set(records.map(({ writer, epoch }) => `${writer} ${epoch}`)).size, new Set(epochs).size);
  const carried = players.flatMap(({ assigned }) => assigned);
  assert.equal(new Set(carried).size, carried.length, "an attempt was assigned twice");
  const inJournal = new Set(
    records.flatMap(({ events }) =>
      events.flatMap((event) =>
        event.kind === "tasks-assigned"
          ? event.tasks.map(({ job, stage, task, attempt }) => `${job} ${stage}/${task}/${attempt}`)
          : [],
      ),
    ),
  );
  for (const attempt of carried) assert.ok(inJournal.has(attempt), `${attempt} was carried out before it was recorded`);
  for (const { ledger } of players) {
    for (const stored of store.scan(1)) ledger.fold(stored);
    if (ledger.error === null && ledger.head.seq === store.head().seq && ledger.backlog === 0)
      assert.deepEqual(snapshotMaster(ledger.machine), snapshotMaster(last.machine));
    ledger.leave();
  }
}

const steps = fc.array(step, { minLength: 5, maxLength: 60 }).map((rest) => [...beginning, ...rest]);

it("masters that lead, lose and win in any order make one history, with everything in it that was acknowledged", async () => {
  await fc.assert(fc.asyncProperty(steps, play), { numRuns: 300 });
});
