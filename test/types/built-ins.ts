/** The built-in functions in their positions: types flow through them as through functions of one's own. Checked by `tsc`, never run. */
import { count, distinct, field, first, grep, identity, max, sum, top, words } from "../../src/fn/index.ts";
import { chainReader, Disco, type Job, type Results } from "../../src/index.ts";
import { is } from "./equal.ts";

const disco = new Disco();
const input = ["x"];
declare const typed: Results<string, number>;

export async function positions(): Promise<void> {
  const counted = await disco.newJob("a", { input, map: words(), combiner: sum, reduce: sum });
  is<Job<string, number>>()(counted, true);
  const lengths = await disco.newJob("a", { input, map: (line) => [[line.length, line] as const], reduce: count });
  is<Job<number, number>>()(lengths, true);
  const counts = await disco.newJob("a", { input, map: () => [["key", 5] as const], combiner: count, reduce: sum });
  is<Job<string, number>>()(counts, true);
  const big = await disco.newJob("a", { input, map: (line) => [[line, 5n] as const], combiner: sum, reduce: sum });
  is<Job<string, bigint>>()(big, true);
  const own = await disco.newJob("a", {
    input,
    map: field(2, { separator: "," }),
    combiner: count,
    *reduce(pairs) {
      for (const [text, n] of sum(pairs)) yield [n, text] as const;
    },
  });
  is<Job<number, string>>()(own, true);
  const best = await disco.newJob("a", { input, map: grep(/x/), combiner: sum, reduce: top(10) });
  is<Job<string, number>>()(best, true);
  const mapOnly = await disco.newJob("a", { input, map: words(), combiner: max });
  is<Job<string, number>>()(mapOnly, true);
  const passed = await disco.newJob("a", { input: typed, mapReader: chainReader, map: identity, reduce: identity });
  is<Job<string, number>>()(passed, true);
  const combined = await disco.newJob("a", { input, map: words(), combiner: identity, reduce: first });
  is<Job<string, number>>()(combined, true);
  const texts = await disco.newJob("a", { input, map: (line) => [[line.length, line] as const], reduce: distinct });
  is<Job<number, string>>()(texts, true);
}

export function mistakes(): void {
  // @ts-expect-error sum has nothing to add up in texts
  void disco.newJob("a", { input, map: (line) => [[line.length, line] as const], reduce: sum });
  // @ts-expect-error nor as a combiner
  void disco.newJob("a", { input, map: (line) => [[line.length, line] as const], combiner: sum });
  // @ts-expect-error the reduce would see numbers where the map emits texts
  void disco.newJob("a", { input, map: (line) => [[line.length, line] as const], combiner: count, reduce: first });
  // @ts-expect-error nor may it, though what it would count is right (docs/fn.md, types)
  void disco.newJob("a", { input, map: (line) => [[line.length, line] as const], combiner: count, reduce: sum });
  // @ts-expect-error a fold is no map
  void disco.newJob("a", { input, map: sum });
  // @ts-expect-error entries are lines, and no pairs
  void disco.newJob("a", { input, map: identity });
  // @ts-expect-error a map over lines reads no pairs
  void disco.newJob("a", { input: typed, mapReader: chainReader, map: words() });
}
