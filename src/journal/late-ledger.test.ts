import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import { snapshotMaster } from "../core/snapshot.ts";
import { jobSpec, joined } from "../core/testing.ts";
import { tasksPerEventMax } from "./assigned.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { MemoryStore } from "./memory.ts";
import { decodeRecord, recordEventsMax } from "./record.ts";
import { SlowJournal } from "./slow.test-kit.ts";

interface Opened {
  readonly ledger: Ledger;
  readonly out: Command[];
  readonly journal: SlowJournal;
  readonly failures: string[];
}

let writers = 0;

async function load(store: MemoryStore, parts: Partial<LedgerParts> = {}): Promise<Opened> {
  const out: Command[] = [];
  const failures: string[] = [];
  const journal = new SlowJournal(store);
  const ledger = await Ledger.load({
    journal,
    writer: `writer ${writers++}`,
    now: () => 1_000,
    carryOut: (commands) => out.push(...commands),
    failed: ({ code }) => failures.push(code),
    defer: () => {},
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    ...parts,
  });
  return { ledger, out, journal, failures };
}

async function leading(store = new MemoryStore(), parts: Partial<LedgerParts> = {}): Promise<Opened> {
  const opened = await load(store, parts);
  assert.equal(await opened.ledger.lead(), true);
  return opened;
}

function blacklisted(host: string): MasterEvent {
  return { kind: "node-blacklisted", at: 1, host };
}

function record(ledger: Ledger, ...hosts: string[]): void {
  for (const host of hosts) ledger.record(blacklisted(host));
  ledger.flush();
}

/** Hosts of all events that are in the journal, in order. */
function hostsIn(store: MemoryStore): string[] {
  return eventsIn(store).flatMap((event) => (event.kind === "node-blacklisted" ? [event.host] : []));
}

function eventsIn(store: MemoryStore): MasterEvent[] {
  return [...store.scan(1)].flatMap(({ seq, body }) => decodeRecord<MasterEvent>(seq, body).events);
}

describe("a ledger on a journal that answers later", () => {
  it("counts its engine as away while it may not write, as a lease that cannot be renewed is of an engine that does not answer", async () => {
    const { ledger } = await load(new MemoryStore());
    let allowed: PromiseWithResolvers<void> | null = null;
    assert.equal(await ledger.lead(() => allowed?.promise ?? null), true);
    assert.equal(ledger.awaySince, null);
    allowed = Promise.withResolvers();
    record(ledger, "a");
    await new Promise((turn) => setImmediate(turn));
    assert.equal(ledger.awaySince, 1_000);
    const { resolve } = allowed;
    allowed = null;
    resolve();
    await ledger.committed();
    assert.equal(ledger.awaySince, null);
  });

  it("carries out commands when their events are committed, and says so afterwards", async () => {
    const store = new MemoryStore();
    const { ledger, out, journal } = await leading(store);
    const { promise, resolve } = Promise.withResolvers<void>();
    journal.pause = () => promise;
    ledger.record(joined("a"));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    ledger.flush();
    assert.deepEqual([ledger.machine.jobs.size, out.length, ledger.backlog], [1, 0, 3]);
    let told = false;
    const committed = ledger.committed().then(() => (told = true));
    await new Promise((turn) => setImmediate(turn));
    assert.deepEqual([told, out.length, store.head().seq], [false, 0, 1]);
    resolve();
    await committed;
    assert.deepEqual(out.filter(({ kind }) => kind === "assign").length, 1);
    assert.deepEqual([store.head().seq, ledger.backlog], [2, 0]);
  });

  it("has one append under way, and what comes meanwhile shares the next records", async () => {
    const store = new MemoryStore();
    const { ledger, journal } = await leading(store);
    const { promise, resolve } = Promise.withResolvers<void>();
    journal.pause = () => promise;
    for (let n = 0; n < 100; n++) record(ledger, `n${n}`);
    resolve();
    await ledger.committed();
    const sizes = [...store.scan(2)].map(({ seq, body }) => decodeRecord(seq, body).events.length);
    assert.deepEqual(sizes, [1, recordEventsMax, 35]);
    assert.deepEqual(
      hostsIn(store),
      Array.from({ length: 100 }, (_, n) => `n${n}`),
    );
  });

  it("makes records no larger than the journal takes, and refuses an event that is", async () => {
    const store = new MemoryStore();
    const { ledger, journal } = await leading(store);
    journal.recordBytesMax = 8_000;
    record(ledger, ...Array.from({ length: 20 }, (_, n) => `${n}${"x".repeat(1_500)}`));
    await ledger.committed();
    const records = [...store.scan(2)];
    assert.ok(records.length >= 5 && records.every(({ body }) => body.length <= 8_000));
    assert.throws(() => ledger.record(blacklisted("y".repeat(8_000))), { code: "record-too-big" });
    assert.equal(ledger.machine.cluster.blacklist.has("y".repeat(8_000)), false);
    record(ledger, "after");
    await ledger.committed();
  });

  it("records thousands of assignments in parts that come to the same state", async () => {
    const store = new MemoryStore();
    const { ledger, out } = await leading(store);
    const tasks = 2 * tasksPerEventMax + 500;
    ledger.record(joined("a", { slots: tasks }));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec({ inputs: tasks }) });
    ledger.flush();
    await ledger.committed();
    const sizes = eventsIn(store).flatMap((event) => (event.kind === "tasks-assigned" ? [event.tasks.length] : []));
    assert.deepEqual(sizes, [tasksPerEventMax, tasksPerEventMax, 500]);
    assert.equal(out.flatMap((command) => (command.kind === "assign" ? command.assignments : [])).length, tasks);
    const second = await load(store);
    assert.deepEqual(snapshotMaster(second.ledger.machine), snapshotMaster(ledger.machine));
  });

  for (const fate of ["lost", "mute", "late"] as const) {
    it(`commits an append once whose outcome nobody knows: ${fate}`, async () => {
      const store = new MemoryStore();
      const { ledger, journal, failures, out } = await leading(store);
      journal.fates.push(fate, fate);
      record(ledger, "a");
      record(ledger, "b");
      await ledger.committed();
      record(ledger, "c");
      await ledger.committed();
      assert.deepEqual([hostsIn(store), failures, ledger.awaySince], [["a", "b", "c"], [], null]);
      assert.equal(out.length, new Set(out).size);
    });
  }

  it("waits for an engine that is away, assigns nothing meanwhile, and goes on by itself", async () => {
    const store = new MemoryStore();
    const { ledger, out, journal } = await leading(store);
    journal.away = true;
    record(ledger, "a");
    while (ledger.awaySince === null) await new Promise((turn) => setImmediate(turn));
    ledger.record(joined("n"));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    ledger.flush();
    for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
    assert.deepEqual([out.length, ledger.backlog, store.head().seq], [0, 3, 1]);
    journal.away = false;
    await ledger.committed();
    assert.equal(ledger.awaySince, null);
    ledger.flush();
    await ledger.committed();
    assert.equal(out.filter(({ kind }) => kind === "assign").length, 1);
  });

  it("is deposed by another master's record, carries out nothing of its own, and tells who waits", async () => {
    const store = new MemoryStore();
    const old = await leading(store);
    record(old.ledger, "before");
    await old.ledger.committed();
    const next = await leading(store);
    old.ledger.record(joined("a"));
    old.ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    old.ledger.flush();
    await assert.rejects(old.ledger.committed(), { code: "deposed" });
    assert.deepEqual([old.out.length, old.failures], [0, ["deposed"]]);
    assert.throws(() => record(old.ledger, "never"), { code: "deposed" });
    record(next.ledger, "after");
    await next.ledger.committed();
    assert.deepEqual(hostsIn(store), ["before", "after"]);
  });

  it("is deposed also when the place was taken while its own append had no answer", async () => {
    const store = new MemoryStore();
    const old = await leading(store);
    old.journal.fates.push("lost");
    const next = await load(store);
    record(old.ledger, "lost");
    await next.ledger.lead();
    await assert.rejects(old.ledger.committed(), { code: "deposed" });
    assert.deepEqual(hostsIn(store), []);
  });

  it("names the loss when the journal has fewer records than were acknowledged", async () => {
    const store = new MemoryStore();
    const { ledger, failures } = await leading(store);
    record(ledger, "a");
    await ledger.committed();
    const first = [...store.scan(1)][0];
    assert.ok(first);
    store.remove(10);
    store.setSnapshot({ seq: 0, hash: "", body: new Uint8Array() });
    store.insert(first);
    record(ledger, "b");
    await assert.rejects(ledger.committed(), { code: "journal-lost" });
    assert.deepEqual(failures, ["journal-lost"]);
  });

  it("takes a journal that seems to end too early, as a replica tells that led before, for one that is to be asked again", async () => {
    const store = new MemoryStore();
    const { ledger, journal, failures } = await leading(store);
    record(ledger, "a");
    await ledger.committed();
    const { append } = journal;
    let stale = 3;
    journal.append = async (expect, body) =>
      stale-- > 0 ? { kind: "conflict", seq: expect - 1, hash: "" } : append.call(journal, expect, body);
    record(ledger, "b");
    await ledger.committed();
    assert.deepEqual([failures, hostsIn(store)], [[], ["a", "b"]]);
  });

  it("follows, refuses to record, and takes over with all that was recorded", async () => {
    const store = new MemoryStore();
    const first = await leading(store);
    const second = await load(store);
    assert.throws(() => second.ledger.record(blacklisted("a")), { code: "not-leading" });
    record(first.ledger, "a", "b");
    await first.ledger.committed();
    for (const stored of store.scan(1)) second.ledger.fold(stored);
    assert.deepEqual(snapshotMaster(second.ledger.machine), snapshotMaster(first.ledger.machine));
    record(first.ledger, "c");
    await first.ledger.committed();
    assert.equal(await second.ledger.lead(), true);
    assert.deepEqual(
      [second.ledger.machine.cluster.blacklist.has("c"), second.ledger.machine.cluster.epoch],
      [true, 2],
    );
  });

  it("follows on when another master was faster, and does not lead twice when its own record comes by first", async () => {
    const store = new MemoryStore();
    const [one, two] = [await load(store), await load(store)];
    const led = await Promise.all([one.ledger.lead(), two.ledger.lead()]);
    assert.equal(led.filter(Boolean).length, 1);
    const three = await load(store);
    three.journal.fates.push("mute");
    const leads = three.ledger.lead();
    while (store.head().seq < 2) await new Promise((turn) => setImmediate(turn));
    for (const stored of store.scan(1)) three.ledger.fold(stored);
    assert.deepEqual([await leads, three.ledger.machine.cluster.epoch], [true, 2]);
  });

  it("saves snapshots while it goes on, keeps what followers may still read, and is read from one", async () => {
    const store = new MemoryStore();
    const { ledger } = await leading(store);
    for (let n = 0; n < 24_000; n += 1_000) {
      for (let one = n; one < n + 1_000; one++) {
        ledger.record(blacklisted(`n${one % 50}`));
        if (one % 2 === 0) {
          ledger.flush();
          await ledger.committed();
        }
      }
    }
    ledger.flush();
    await ledger.committed();
    for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
    const snapshot = store.snapshot();
    assert.ok(snapshot !== null && snapshot.seq > 1_000, `snapshot at ${snapshot?.seq}`);
    assert.deepEqual(snapshotMaster((await load(store)).ledger.machine), snapshotMaster(ledger.machine));
  });

  it("is closed when what waits is committed", async () => {
    const store = new MemoryStore();
    const { ledger } = await leading(store);
    ledger.record(blacklisted("last"));
    await ledger.closeLater();
    assert.deepEqual(hostsIn(store), ["last"]);
    assert.throws(() => ledger.record(blacklisted("later")), { code: "closed" });
  });
});
