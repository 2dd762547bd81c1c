/**
 * What every feed of lines has to do. An implementation's test calls `lineFeedContract` with a factory that gives two feeds of one
 * engine, as two masters have them, which keeps at least `linesMax` lines of a few bytes, and not many more than that.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FedLine, LineFeed } from "./lines.ts";

export interface FeedsUnderTest {
  readonly feeds: readonly [LineFeed, LineFeed];
  readonly dispose: () => Promise<void>;
}

const linesMax = 200;
const patienceMs = 20_000;

export function lineFeedContract(name: string, open: (linesMax: number) => Promise<FeedsUnderTest>): void {
  const scenario = (title: string, act: (a: LineFeed, b: LineFeed) => Promise<void>): void => {
    it(title, async () => {
      const { feeds, dispose } = await open(linesMax);
      try {
        await act(...feeds);
      } finally {
        await dispose();
      }
    });
  };

  describe(`${name} feeds lines`, () => {
    scenario("what one adds all hear, in order and whole", async (a, b) => {
      const lines = [line(1), { job: "other@1", event: { ...line(2).event, task: null, message: "ä \u2028 \n {}" } }];
      a.add(lines);
      a.add([]);
      a.add([line(3)]);
      assert.deepEqual(await heard(b, 3), [...lines, line(3)]);
      assert.deepEqual(await heard(a, 3), [...lines, line(3)]);
    });

    scenario("who follows hears what is there, then what comes", async (a, b) => {
      a.add([line(1)]);
      const seen: FedLine[] = [];
      const stop = new AbortController();
      const late = setTimeout(() => stop.abort(), patienceMs);
      for await (const lines of b.follow(stop.signal)) {
        seen.push(...lines);
        if (seen.length === 1) a.add([line(2), line(3)]);
        if (seen.length === 3) stop.abort();
      }
      clearTimeout(late);
      assert.deepEqual(seen, [line(1), line(2), line(3)]);
    });

    scenario("who stops while nothing comes is let go", async (a) => {
      const stop = new AbortController();
      const following = a.follow(stop.signal)[Symbol.asyncIterator]();
      const next = following.next();
      stop.abort();
      assert.equal((await next).done, true);
    });

    scenario("of more lines than there is room for the newest are kept", async (a, b) => {
      const count = linesMax * 10;
      for (let n = 0; n < count; n += 10) a.add(Array.from({ length: 10 }, (_, i) => line(n + i)));
      const last = `line ${count - 1}`;
      // All are written when the last one is heard; what is there then is what is kept.
      await heardUntil(b, last);
      const kept = await heardUntil(b, last);
      assert.ok(kept.length >= linesMax / 2, `${kept.length} lines are kept`);
      assert.ok(kept.length < count, "the oldest are gone");
      assert.deepEqual(
        kept,
        Array.from({ length: kept.length }, (_, i) => line(count - kept.length + i)),
      );
    });
  });
}

async function heard(feed: LineFeed, count: number): Promise<FedLine[]> {
  return heardWhile(feed, (seen) => seen.length < count);
}

async function heardUntil(feed: LineFeed, message: string): Promise<FedLine[]> {
  return heardWhile(feed, (seen) => seen.at(-1)?.event.message !== message);
}

async function heardWhile(feed: LineFeed, goOn: (seen: readonly FedLine[]) => boolean): Promise<FedLine[]> {
  const seen: FedLine[] = [];
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), patienceMs);
  for await (const lines of feed.follow(stop.signal)) {
    seen.push(...lines);
    if (!goOn(seen)) stop.abort();
  }
  clearTimeout(late);
  return seen;
}

function line(n: number): FedLine {
  const time = new Date(Date.UTC(2026, 0, 1) + n).toISOString();
  return { job: "job@1", event: { time, host: "alpha", task: `map:${n}`, level: "message", message: `line ${n}` } };
}
