/**
 * The distributed filesystem in one go: files become blobs, lines become blobs of compressed records, tags name them, a job reads a tag, and
 * what it found is stored under another one.
 *
 *     npx disco run examples/ddfs.ts
 */
import { chainReader, kvgroup, type Results, type RunContext, resultIterator } from "disco-mapreduce";

const texts = `${import.meta.dirname}/data/*.txt`;

export default async function tour({ disco }: RunContext): Promise<Results<string, number>> {
  const { ddfs } = disco;

  // Started again, it starts over: blobs that no tag names any more are collected.
  for (const tag of await ddfs.list("example:")) await ddfs.delete(tag);

  // Files as they are, a blob each; and their lines, cut into blobs of about the same size, a task each.
  await ddfs.push("example:texts", texts);
  await ddfs.chunk("example:lines", texts, { chunkSize: 8 * 1024 });
  await ddfs.setattr("example:lines", "language", "en");

  // A tag may link to other tags: who reads it follows the links.
  await ddfs.tag("example:all", ["tag://example:lines"]);

  const job = await disco.newJob("ddfs_words", {
    input: ["tag://example:all"],
    mapReader: chainReader,
    // What chunk makes of lines: the line, and null.
    *map([line]: [line: string, nothing: null]) {
      for (const word of line.toLowerCase().match(/[a-z']+/g) ?? []) yield [word, 1] as const;
    },
    *reduce(pairs) {
      for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((sum, n) => sum + n, 0)] as const;
    },
    sort: true,
    // Results become blobs as well, before the job is ready.
    save: true,
  });
  const results = await job.wait();
  console.log(`saved as ${results.join()}`);

  const longest: string[] = [];
  for await (const [word] of resultIterator(results)) if (word.length > 10) longest.push(word);
  await ddfs.push("example:long-words", { name: "words", data: `${longest.join("\n")}\n` });

  for (const tag of await ddfs.list("example:")) {
    let bytes = 0;
    for await (const blob of ddfs.pull(tag)) bytes += (await blob.stat())?.size ?? 0;
    console.log(`${tag.padEnd(20)} ${String(bytes).padStart(8)} bytes`);
  }
  return results;
}
