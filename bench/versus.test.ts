import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asked } from "./asking.ts";
import type { Scale } from "./question.ts";
import type { Stand } from "./stand.ts";
import { versus } from "./versus.ts";

const stand = (name: string): Stand => ({ name, bench: "", nodeOptions: "", [Symbol.dispose]: () => undefined });
const wall = (seconds: number): Asked => ({
  answer: { lines: [{ name: "wall", unit: "s", values: [seconds] }], memory: [] },
});

test("two stands are asked in turn, one run at a time, and compared figure by figure", async () => {
  const asked: string[] = [];
  const seconds = { ours: [1, 2, 3], theirs: [6, 5, 4] };
  const asking = (where: Stand, id: string, scale: Scale): Promise<Asked> => {
    asked.push(`${id} ${where.name} ${scale.runs}`);
    return Promise.resolve(wall(seconds[where.name as "ours" | "theirs"].shift() ?? 0));
  };
  const found = await versus("P1", stand("ours"), stand("theirs"), { factor: 1, runs: 3 }, asking);
  assert.deepEqual(asked, new Array(3).fill(["P1 ours 1", "P1 theirs 1"]).flat());
  assert.deepEqual(found, {
    runs: 3,
    lines: [{ name: "wall", unit: "s", comparison: { ours: 2, theirs: 5, ratio: 0.4, verdict: "less" } }],
  });
});

test("a question that one side cannot be asked is skipped", async () => {
  const asking = ({ name }: Stand): Promise<Asked> =>
    Promise.resolve(name === "theirs" ? { skipped: "no wrk" } : wall(1));
  const found = await versus("P12", stand("ours"), stand("theirs"), { factor: 1, runs: 2 }, asking);
  assert.deepEqual(found, { skipped: "no wrk" });
});

test("a figure that stands beside two baselines is compared once", async () => {
  const lines = [
    { name: "wall", unit: "s", values: [1] },
    { name: "wall, beside grep -c", unit: "s", values: [1], again: "wall" },
  ] as const;
  const asking = (): Promise<Asked> => Promise.resolve({ answer: { lines, memory: [] } });
  const found = await versus("P4", stand("ours"), stand("theirs"), { factor: 1, runs: 1 }, asking);
  assert.ok("lines" in found);
  assert.deepEqual(
    found.lines.map(({ name }) => name),
    ["wall"],
  );
});
