/** External programs in their places: what they write is text, or bytes where that is asked for. Checked by `tsc`, never run. */
import { Disco, external, type Job, kvgroup } from "../../src/index.ts";
import { is } from "./equal.ts";

const disco = new Disco();
const input = ["x"];
const program = external(["./program", "./file"]);
const images = external(["./program"], { values: "bytes" });

export async function places(): Promise<void> {
  const both = await disco.newJob("a", { input, map: program, reduce: program, extParams: { a: "b" } });
  is<Job<string, string>>()(both, true);
  const mapOnly = await disco.newJob("a", { input, map: images, extParams: "raw" });
  is<Job<string, Uint8Array>>()(mapOnly, true);
  const reduceOnly = await disco.newJob("a", {
    input,
    map: (line) => [[line.length, line] as const],
    reduce: external(["./program"], { keys: "bytes", values: "bytes" }),
  });
  is<Job<Uint8Array, Uint8Array>>()(reduceOnly, true);
  const mixed = await disco.newJob("a", {
    input,
    map: program,
    combiner(word, count, buffer, done) {
      if (!done) buffer.set(word, `${Number(buffer.get(word) ?? 0) + Number(count)}`);
    },
    partition: (word, partitions) => word.length % partitions,
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((sum, n) => sum + Number(n), 0)] as const;
    },
  });
  is<Job<string, number>>()(mixed, true);
  await disco.newJob("a", { input, pipeline: [{ map: program }, { reduce: images }] });
}

export function mistakes(): void {
  // @ts-expect-error a list of paths
  external("./program");
  // @ts-expect-error bytes or text
  external(["./program"], { keys: "numbers" });
  // @ts-expect-error values are strings, unless bytes are asked for
  void disco.newJob("a", { input, map: program, combiner: (_word, _count: number) => {} });
  // @ts-expect-error strings only
  void disco.newJob("a", { input, map: program, extParams: { a: 1 } });
}
