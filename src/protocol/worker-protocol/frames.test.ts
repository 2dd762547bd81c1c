import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame, type Frame, FrameError, FrameReader } from "./frames.ts";

const name = fc.stringMatching(/^[A-Z_]{1,10}$/);

function readAll(reader: FrameReader, pieces: readonly Uint8Array[]): Frame[] {
  return pieces.flatMap((piece) => [...reader.push(piece)]);
}

/** `bytes`, cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

test("frames are read as they were written, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.jsonValue()), { maxLength: 8 }), fc.array(fc.nat()), (frames, places) => {
      const bytes = Buffer.concat(frames.map(([each, value]) => encodeFrame(each, value)));
      const read = readAll(new FrameReader(), cut(bytes, places));
      assert.deepEqual(
        read.map((frame) => [frame.name, frame.body.toString()]),
        frames.map(([each, value]) => [each, JSON.stringify(value)]),
      );
    }),
  );
});

test("half a frame waits, and is there to be shown", () => {
  const reader = new FrameReader();
  assert.deepEqual([...reader.push(Buffer.from('MSG 6 "ab'))], []);
  assert.equal(reader.isInside, true);
  assert.equal(reader.rest.toString(), 'MSG 6 "ab');
  assert.deepEqual([...reader.push(Buffer.from('cd"\n'))].length, 1);
  assert.equal(reader.isInside, false);
});

for (const [what, bytes, fault] of [
  ["a traceback", "Traceback (most recent call last):\n", "invalid-name"],
  ["a line of lower case", "warning: x\n", "invalid-name"],
  ["a name that is too long", "ELEVENCHARS 2 {}\n", "invalid-name"],
  ["no name", " 2 {}\n", "invalid-name"],
  ["a length that is none", "MSG x {}\n", "invalid-length"],
  ["a negative length", "MSG -1 \n", "invalid-length"],
  ["a length of too many digits", "MSG 00000000002 {}\n", "invalid-length"],
  ["a length of 2^31", `MSG ${2 ** 31} "`, "body-too-large"],
  ["a body that is longer than announced", 'MSG 2 "ab"\n', "invalid-end"],
] as const) {
  test(`${what} is no frame, which is said at the first byte that cannot be right`, () => {
    const reader = new FrameReader();
    assert.throws(
      () => [...reader.push(Buffer.from(bytes))],
      (error) => error instanceof FrameError && error.fault === fault && bytes.startsWith(error.received.toString()),
    );
  });
}

test("whatever bytes come, they are frames or a FrameError", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
      try {
        readAll(new FrameReader(), pieces);
      } catch (error) {
        assert.ok(error instanceof FrameError);
      }
    }),
  );
});

test("a body of many megabytes in small pieces is put together once", () => {
  const value = "x".repeat(20 * 1024 * 1024);
  const bytes = encodeFrame("MSG", value);
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += 4_096) frames.push(...reader.push(bytes.subarray(at, at + 4_096)));
  assert.equal(frames.length, 1);
  assert.equal(frames[0]?.body.length, value.length + 2);
});
