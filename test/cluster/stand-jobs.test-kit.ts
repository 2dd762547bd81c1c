/** The jobs that the stand of processes runs, what they give, and what the journal tells of them afterwards. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { CommError, type Disco, type Job, kvgroup, type Results, resultIterator } from "disco-mapreduce";
import pageRank from "../../examples/page-rank.ts";
import type { MasterEvent } from "../../src/core/events.ts";
import { Fold } from "../../src/journal/fold.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openNatsJournal } from "../../src/journal/nats.ts";
import { openPostgresJournal } from "../../src/journal/postgres.ts";
import { decodeRecord } from "../../src/journal/record.ts";
import { openNats } from "../../src/nats/connection.ts";
import { PostgresDatabase } from "../../src/postgres/database.ts";
import type { AttemptId } from "../../src/protocol/messages.ts";
import { standCluster } from "./stand.test-kit.ts";

const vocabulary = 5_000;
const wordsOfLine = 12;
const readyMs = 60_000;
const askAgainMs = 250;

/** Files of words, the same ones each time. */
export async function writeTexts(folder: string, files: number, linesOfFile: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  let state = 1;
  // Some words are frequent, most are rare.
  const word = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return `w${Math.floor(vocabulary * (state / 2 ** 32) ** 3)}`;
  };
  return await Promise.all(
    Array.from({ length: files }, async (_, i) => {
      const lines = Array.from({ length: linesOfFile }, () => Array.from({ length: wordsOfLine }, word).join(" "));
      const file = join(folder, `text-${i}.txt`);
      await writeFile(file, `${lines.join("\n")}\n`);
      return file;
    }),
  );
}

/** One map task a file. */
export async function startWordCount(disco: Disco, input: readonly string[]): Promise<Job<string, number>> {
  return await disco.newJob("stand_words", {
    input: [...input],
    map: (line) => (line.match(/[a-z0-9']+/g) ?? []).map((word) => [word, 1] as const),
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) {
        let sum = 0;
        for (const n of counts) sum += n;
        yield [word, sum] as const;
      }
    },
    sort: true,
    partitions: 4,
  });
}

/** The example, as `disco run` calls it. */
export async function runPageRank(disco: Disco, rounds: number): Promise<Results> {
  return await pageRank({ disco, inputs: [], params: { rounds } });
}

/** A digest of all records, partition by partition, in the order in which they come. */
export async function digestOf(results: Results): Promise<string> {
  const hash = createHash("sha256");
  let records = 0;
  for await (const record of resultIterator(results)) {
    hash.update(`${JSON.stringify(record)}\n`);
    records++;
  }
  return `${records} records, sha256 ${hash.digest("hex")}`;
}

export interface Accepted {
  /** That were done, and that were lost or failed. */
  readonly attempts: number;
  readonly lost: number;
  /** Of the last record. */
  readonly epoch: number;
}

export interface Recorded {
  readonly seq: number;
  readonly epoch: number;
  readonly event: MasterEvent;
}

/** All that happened so far, in order. The journal is read as a chain: what is missing or changed is an error. */
export async function recorded(url: string): Promise<Recorded[]> {
  return await withJournal(url, eventsOf);
}

/**
 * Asserts what no kill may change: the journal is one chain; whoever led once writes no more when another one has led; no attempt is
 * accepted twice, and what comes of one of which it was recorded before that it, or its node, is over has no effect.
 */
export async function checkJournal(url: string): Promise<Accepted> {
  return await withJournal(url, checked);
}

export function attemptOf({ job, stage, task, attempt }: AttemptId): string {
  return `${job} ${stage}:${task} attempt ${attempt}`;
}

/** `url`: of the servers of NATS, or of PostgreSQL. */
async function withJournal<T>(url: string, read: (journal: Journal) => Promise<T>): Promise<T> {
  if (url.startsWith("postgres:")) {
    const journal = await openPostgresJournal(await PostgresDatabase.open(url, { cluster: standCluster }));
    try {
      return await read(journal);
    } finally {
      await journal.close();
    }
  }
  const engine = await openNats({ url, cluster: standCluster, name: "reader", allowOldEngine: true });
  try {
    return await whenReady(async () => await read(await openNatsJournal(engine, { create: false })));
  } finally {
    await engine.close();
  }
}

/**
 * JetStream says for a while after an outage that it is not available, or nothing, also when its streams have answered already: what
 * only reads begins again, as masters do.
 */
async function whenReady<T>(read: () => Promise<T>): Promise<T> {
  for (const until = performance.now() + readyMs; ; await passed(askAgainMs)) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof CommError) || error.retry !== "here" || performance.now() > until) throw error;
    }
  }
}

async function eventsOf(journal: Journal): Promise<Recorded[]> {
  const all: Recorded[] = [];
  const covered = (await journal.snapshot())?.seq ?? 0;
  for await (const { seq, body } of journal.read(covered + 1)) {
    const { epoch, events } = decodeRecord<MasterEvent>(seq, body);
    for (const event of events) all.push({ seq, epoch, event });
  }
  return all;
}

async function checked(journal: Journal): Promise<Accepted> {
  const over = new Map<string, string>();
  // Attempts that have not ended yet, with their nodes.
  const open = new Map<string, string>();
  const counts = { attempts: 0, lost: 0 };
  let repeated: string | null = null;
  await Fold.read(journal, {
    folded: (event) => {
      repeated = null;
      if (event.kind === "tasks-assigned") for (const task of event.tasks) open.set(attemptOf(task), task.host);
      if (event.kind === "node-lost") {
        for (const [attempt, host] of open) {
          if (host !== event.host) continue;
          open.delete(attempt);
          over.set(attempt, event.kind);
        }
      }
      if (event.kind !== "task-done" && event.kind !== "task-failed" && event.kind !== "task-lost") return;
      const attempt = attemptOf(event);
      open.delete(attempt);
      // A report that comes again, since its answer was lost, or too late is recorded as well: it must change nothing.
      if (over.has(attempt)) repeated = `${attempt}: ${event.kind} after ${over.get(attempt)}`;
      else counts[event.kind === "task-done" ? "attempts" : "lost"]++;
      over.set(attempt, event.kind);
    },
    replayed: (command) => assert.equal(repeated, null, `${repeated} leads to ${command.kind}`),
  });
  let latest = 0;
  for (const { seq, epoch } of await eventsOf(journal)) {
    assert.ok(epoch >= latest, `record ${seq} is of epoch ${epoch}, after one of epoch ${latest}`);
    latest = epoch;
  }
  return { ...counts, epoch: latest };
}
