import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { byteSize, duration, durationOrNever } from "./quantities.ts";

const bytes = byteSize(0);

describe("a number of bytes", () => {
  it("is read with binary units, decimal units, or none", () => {
    const cases = [
      ["64MiB", 67_108_864],
      ["1 GiB", 1_073_741_824],
      ["1.5KiB", 1536],
      ["500MB", 500_000_000],
      ["2kb", 2000],
      ["12b", 12],
      ["1048576", 1_048_576],
      [1024, 1024],
    ] as const;
    for (const [raw, value] of cases) assert.deepEqual(bytes.read(raw, ""), { value }, String(raw));
  });

  it("is refused where its unit is ambiguous, unknown or absent, and when it is negative or no number", () => {
    for (const raw of ["64M", "64m", "10 apples", "MiB", "-1", "1e400", "1..5GiB", "", true, null, [1], Number.NaN]) {
      assert.equal(bytes.read(raw, ""), null, String(raw));
    }
    assert.equal(byteSize(1024).read("1023", ""), null);
  });

  it("is shown so that it is read back as the same number", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 }), (value) => {
        assert.deepEqual(bytes.read(bytes.show(value), ""), { value });
      }),
    );
  });
});

describe("a time", () => {
  it("is read with a unit, or as seconds", () => {
    const cases = [
      ["90s", 90],
      ["30m", 1800],
      ["12h", 43_200],
      ["7d", 604_800],
      ["2w", 1_209_600],
      ["3153600000", 3_153_600_000],
      [0, 0],
    ] as const;
    for (const [raw, value] of cases) assert.deepEqual(duration.read(raw, ""), { value }, String(raw));
  });

  it("is refused when it is negative, without an end, or in an unknown unit", () => {
    for (const raw of ["-1s", "7 years", "d", "Infinity", "1e30", "", {}]) assert.equal(duration.read(raw, ""), null);
  });

  it("may be never, where that is allowed", () => {
    assert.deepEqual(durationOrNever.read("never", ""), { value: null });
    assert.equal(duration.read("never", ""), null);
  });

  it("is shown so that it is read back as the same time", () => {
    fc.assert(
      fc.property(fc.option(fc.nat({ max: 2 ** 31 })), (value) => {
        assert.deepEqual(durationOrNever.read(durationOrNever.show(value), ""), { value });
      }),
    );
  });
});
