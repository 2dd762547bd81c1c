/**
 * Mistakes that the type checker catches. Each `@ts-expect-error` is one: if the next line compiled, `tsc` would complain. Checked
 * by `tsc`, never run.
 */
import { chainReader, Disco, Job, kvgroup, netstrReader, type Results, resultIterator } from "../../src/index.ts";

const disco = new Disco();
declare const results: Results<string, number>;

export async function mistakes(): Promise<void> {
  // @ts-expect-error map must return pairs
  await disco.newJob("a", { input: ["x"], map: (line) => line.split(" ") });
  // @ts-expect-error a string is an iterable of strings, not of pairs
  await disco.newJob("a", { input: ["x"], map: (line) => line });
  // @ts-expect-error a map that forgets to return
  await disco.newJob("a", { input: ["x"], map: (line) => void line });
  // @ts-expect-error a pair has two items
  await disco.newJob("a", { input: ["x"], map: (line) => [[line, 1, 2] as const] });
  // @ts-expect-error lines are strings, not numbers
  await disco.newJob("a", { input: ["x"], map: (line: number) => [[line, 1]] });
  // @ts-expect-error no such option
  await disco.newJob("a", { input: ["x"], mapp: (line: string) => [[line, 1]] });
  // @ts-expect-error the seed's spelling
  await disco.newJob("a", { input: ["x"], map: (line) => [[line, 1]], merge_partitions: true });
  // @ts-expect-error input is required
  await disco.newJob("a", { map: (line) => [[line, 1]] });
  // @ts-expect-error partitions is a number or null
  await disco.newJob("a", { input: ["x"], map: (line) => [[line, 1]], partitions: "4" });
  // @ts-expect-error sort is a boolean or "merge"
  await disco.newJob("a", { input: ["x"], map: (line) => [[line, 1]], sort: "yes" });

  await disco.newJob("a", {
    input: ["x"],
    // @ts-expect-error there are no params
    map: (line, params) => [[line, params.top]],
  });
  await disco.newJob("a", {
    input: ["x"],
    params: { top: 1 },
    // @ts-expect-error the param is called top
    map: (line, params) => [[line, params.tip]],
  });
  await disco.newJob("a", {
    input: ["x"],
    map: (line) => [[line, 1]],
    // @ts-expect-error keys are strings
    partition: (key: number, n) => key % n,
  });
  await disco.newJob("a", {
    input: ["x"],
    map: (line) => [[line, 1]],
    combiner(key, value, buffer) {
      // @ts-expect-error values are numbers
      buffer.set(key, `${value}`);
    },
  });
  await disco.newJob("a", {
    input: ["x"],
    map: (line) => [[line, 1]],
    *reduce(pairs) {
      // @ts-expect-error values are numbers
      for (const [word, counts] of kvgroup(pairs)) yield [word, counts.map((n) => n.length).toArray()];
    },
  });
  await disco.newJob("a", {
    input: ["x"],
    map: (line) => [[line, 1]],
    // @ts-expect-error reduce must give pairs
    *reduce(pairs) {
      for (const [word] of pairs) yield word;
    },
  });
  await disco.newJob("a", {
    input: ["x"],
    mapReader: netstrReader,
    // @ts-expect-error entries are pairs of strings
    map: (line) => line.split(" ").map((word) => [word, 1]),
  });
  await disco.newJob("a", {
    input: results,
    mapReader: chainReader,
    // @ts-expect-error the values of these results are numbers
    map: ([word, n]) => [[word, n.length]],
  });

  for await (const [word, n] of resultIterator(results)) {
    // @ts-expect-error n is a number
    n.trim();
    word.trim();
  }
  // @ts-expect-error no such option
  resultIterator(results, { read: netstrReader });
  // @ts-expect-error results are addresses
  resultIterator(42);
  // @ts-expect-error seconds
  await disco.wait("name", { timeout: "10" });
  const job = new Job(disco, "a");
  // @ts-expect-error the client has no such method
  await job.puge();
}
