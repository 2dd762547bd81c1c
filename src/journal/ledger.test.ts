import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "../core/commands.ts";
import { snapshotMaster } from "../core/snapshot.ts";
import { jobSpec, joined, outputOf } from "../core/testing.ts";
import { DiscoError } from "../errors.ts";
import type { StoredRecord } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { MemoryStore, openMemoryJournal } from "./memory.ts";
import { decodeRecord, recordEventsMax } from "./record.ts";

class FailingStore extends MemoryStore {
  failing = false;

  override insert(record: StoredRecord): boolean {
    if (this.failing) throw new DiscoError("no space", { code: "disk-full" });
    return super.insert(record);
  }
}

/** A ledger whose turns end by `flush` only, and what it carried out. */
function open(
  store = new FailingStore(),
  parts: Partial<Omit<LedgerParts, "journal">> = {},
): { ledger: Ledger; out: Command[]; store: FailingStore } {
  const out: Command[] = [];
  const ledger = Ledger.open({
    journal: openMemoryJournal(store),
    writer: "test",
    now: () => 1000,
    carryOut: (commands) => out.push(...commands),
    defer: () => {},
    ...parts,
  });
  return { ledger, out, store };
}

function kinds(commands: readonly Command[]): string[] {
  return commands.map(({ kind }) => kind).filter((kind) => kind !== "log");
}

describe("a ledger", () => {
  it("carries out nothing before the events are in the journal", () => {
    const { ledger, out, store } = open();
    ledger.record(joined("a"));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    assert.deepEqual([out.length, store.head().seq], [0, 1]);
    ledger.flush();
    assert.deepEqual(kinds(out), ["assign"]);
    assert.equal(store.head().seq, 2);
  });

  it("compacts a journal that many short-lived owners wrote, none of which closed it", () => {
    const { store } = open();
    for (let owner = 0; owner < 3; owner++) {
      const { ledger } = open(store);
      for (let n = 0; n < 4_000; n++) {
        ledger.record({ kind: "node-blacklisted", at: n, host: "node" });
        ledger.flush();
      }
    }
    assert.ok((store.snapshot()?.seq ?? 0) >= 9_000);
    assert.ok([...store.scan(1)].length < 3_000);
  });

  it("does not write a large state out again for a few events", () => {
    const { ledger, store } = open();
    for (let n = 0; n < 3_000; n++) ledger.record({ kind: "node-blacklisted", at: n, host: `${"n".repeat(100)}${n}` });
    ledger.close();
    const before = store.snapshot()?.seq;
    const next = open(store).ledger;
    next.record({ kind: "node-blacklisted", at: 1, host: "one" });
    next.close();
    assert.equal(store.snapshot()?.seq, before);
    assert.ok(open(store).ledger.machine.cluster.blacklist.has("one"));
  });

  it("puts the events of one turn in records of at most 64", () => {
    const { ledger, store } = open();
    for (let n = 0; n < 150; n++) ledger.record({ kind: "node-blacklisted", at: n, host: `node${n}` });
    ledger.flush();
    const sizes = [...store.scan(2)].map(({ seq, body }) => decodeRecord(seq, body).events.length);
    assert.deepEqual(sizes, [recordEventsMax, recordEventsMax, 22]);
  });

  it("writes at the end of the turn by itself", async () => {
    const { ledger, store } = open(new FailingStore(), { defer: setImmediate });
    ledger.record(joined("a"));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(store.head().seq, 2);
  });

  it("knows after opening what was recorded, under a higher epoch, with and without a snapshot", () => {
    const { ledger, store } = open();
    ledger.record(joined("a"));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec({ inputs: 5 }) });
    ledger.flush();
    const before = snapshotMaster(ledger.machine);
    const second = open(store).ledger;
    assert.deepEqual(snapshotMaster(second.machine), { ...before, epoch: 2 });
    second.compact();
    assert.equal([...store.scan(1)].length, 0);
    second.record({
      kind: "task-done",
      at: 2,
      job: "j@1:1:1",
      stage: 0,
      task: 0,
      attempt: 0,
      output: outputOf("a", 0),
    });
    second.flush();
    const third = open(store).ledger;
    assert.deepEqual(snapshotMaster(third.machine), { ...snapshotMaster(second.machine), epoch: 3 });
  });

  it("stops when the journal fails, and carries out nothing of that turn", () => {
    const failures: DiscoError[] = [];
    const { ledger, out, store } = open(new FailingStore(), { failed: (error) => failures.push(error) });
    ledger.record(joined("a"));
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    store.failing = true;
    ledger.flush();
    assert.deepEqual([out.length, failures.map(({ code }) => code)], [0, ["disk-full"]]);
    assert.throws(() => ledger.record(joined("b")), { code: "disk-full" });
    ledger.close();
  });

  it("stops when another master has written", () => {
    const { ledger, store } = open();
    const other = open(store).ledger;
    other.record(joined("b"));
    other.flush();
    ledger.record(joined("a"));
    ledger.flush();
    assert.equal(ledger.error?.code, "deposed");
    assert.equal(other.error, null);
  });

  it("refuses an event that the machine objects to, and goes on", () => {
    const { ledger } = open();
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    assert.throws(() => ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() }), {
      code: "job-exists",
    });
    ledger.flush();
    assert.equal(ledger.error, null);
  });

  it("names the record whose events cannot follow those before", () => {
    const { ledger, store } = open();
    ledger.record({ kind: "job-submitted", at: 1, job: "j@1:1:1", spec: jobSpec() });
    ledger.flush();
    const journal = openMemoryJournal(store);
    const last = [...store.scan(2)][0] as StoredRecord;
    const text = new TextDecoder()
      .decode(last.body)
      .replace('"seq":2', '"seq":3')
      .replace(/"prevHash":"[^"]*"/, `"prevHash":"${last.hash}"`);
    journal.appendSync(2, new TextEncoder().encode(text));
    assert.throws(() => open(store), { code: "journal-corrupt", message: /record 3 / });
  });

  it("is closed with a snapshot, and takes nothing afterwards", () => {
    const { ledger, store } = open();
    ledger.record(joined("a"));
    ledger.close();
    assert.equal(store.snapshot()?.seq, 2);
    assert.throws(() => ledger.record(joined("b")), { code: "closed" });
  });
});
