import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { JobEvent } from "../../client/master-api.ts";
import { logBytes, newestEvents, wireBytes } from "./event-file.ts";
import { wireEvent, wireLine } from "./wire-event.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-events-"));
});
after(() => rm(folder, { recursive: true }));

const event: fc.Arbitrary<JobEvent> = fc.record({
  time: fc.constant("2026-11-22T11:27:24.123Z"),
  host: fc.constantFrom("master", "localhost"),
  task: fc.constantFrom(null, "map:0"),
  level: fc.constantFrom("info", "message", "warning"),
  // Some lines are longer than a block.
  message: fc.oneof(
    fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
    fc.integer({ min: 1, max: 3 }).map((n) => "\n".repeat(n * 40_000)),
  ),
});

async function withLog<T>(
  events: readonly JobEvent[],
  rest: string,
  use: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  const path = join(folder, "log");
  await writeFile(path, events.map((one) => `${JSON.stringify(one)}\n`).join("") + rest);
  const file = await open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function read(file: Awaited<ReturnType<typeof open>>, from: number, to: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(wireBytes(file, from, to)));
}

test("any part of a log is that part of its translation", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 6 }), fc.nat(), fc.nat(), fc.boolean(), async (events, a, b, cut) => {
      const whole = Buffer.from(
        events.map((one) => wireLine(one, Buffer.byteLength(JSON.stringify(one)) + 1)).join(""),
      );
      await withLog(events, cut ? '{"time":"half a li' : "", async (file) => {
        const size = await logBytes(file);
        assert.equal(size, whole.length);
        const [from, to] = [a % (size + 1), b % (size + 1)].sort((x, y) => x - y) as [number, number];
        assert.ok((await read(file, from, to)).equals(whole.subarray(from, to)), `${from} to ${to}`);
      });
    }),
    { numRuns: 60 },
  );
});

test("the newest events are the last ones that match, backwards", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 8 }),
      fc.nat(5),
      fc.constantFrom("", "a", "\n"),
      async (events, n, filter) => {
        const expected = events
          .map(wireEvent)
          .filter(([, , message]) => message.toLowerCase().includes(filter))
          .reverse()
          .slice(0, n);
        assert.deepEqual(await withLog(events, "", (file) => newestEvents(file, n, filter)), expected);
      },
    ),
    { numRuns: 60 },
  );
});

test("a few events from the end of a long log cost a few reads", async () => {
  const events = Array.from({ length: 20_000 }, (_, i): JobEvent => {
    return { time: "2026-11-22T11:27:24.123Z", host: "h", task: null, level: "info", message: `message ${i}` };
  });
  await withLog(events, "", async (file) => {
    let bytes = 0;
    const counted = new Proxy(file, {
      get(target, name) {
        if (name !== "read") return Reflect.get(target, name).bind(target) as unknown;
        return async (buffer: Buffer, ...rest: [number, number, number]) => {
          const result = await target.read(buffer, ...rest);
          bytes += result.bytesRead;
          return result;
        };
      },
    });
    assert.equal((await newestEvents(counted, 10, ""))[0]?.[2], "message 19999");
    assert.ok(bytes <= 3 * 64 * 1024, `${bytes} bytes were read`);
  });
});
