/** The word count in Python as a job of its own worker: of both versions of job packs, by the client in Python, against a daemon. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { runWireJob, type WireEnd } from "./client.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

const examples = globSync(join(import.meta.dirname, "..", "..", "examples", "data", "*.txt")).sort();
/** Letters whose lower case is ASCII, bytes that are no text, line ends of all kinds. */
const odd = Buffer.concat([
  Buffer.from("\u212aelvin \u0130stanbul STRASSE\r\nna\u00efve\n\nkelvin"),
  Buffer.of(0xff, 0xfe, 0x0a),
]);

/** As `examples/start.ts` counts them. */
function expectedCounts(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const word of readFileSync(file, "utf8")
      .toLowerCase()
      .match(/[a-z]{2,}/g) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function countsOf({ outputs }: WireEnd): Map<string, number> {
  const pairs = outputs.flatMap(([, contents]) =>
    contents
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
  assert.equal(new Set(pairs.map(([word]) => word)).size, pairs.length, "each word once");
  return new Map(pairs.map(([word, count]) => [word, Number(count)]));
}

describe("the word count in Python", { skip: noPython }, () => {
  let daemon: TestDaemon;
  let folder = "";
  let texts: string[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-words-"));
    texts = [...examples, join(folder, "odd.txt")];
    await writeFile(join(folder, "odd.txt"), odd);
    daemon = await startDaemon();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  for (const partitions of [1, 4]) {
    it(`runs as a classic job with ${partitions} reduces`, async () => {
      const jobdict = { input: texts, nr_reduces: partitions, "map?": true, "reduce?": true };
      const end = await runWireJob(daemon.url, { version: 1, jobdict, data: { partitions } });
      assert.equal(end.status, "ready", end.events.join("\n"));
      assert.equal(end.results.length, partitions);
      assert.deepEqual(countsOf(end), expectedCounts(texts));
      for (const stage of ["map", "map_shuffle", "reduce"])
        assert.ok(
          end.events.some((event) => event.startsWith(`Stage ${stage} finished in 0:00:0`)),
          stage,
        );
    });
  }

  for (const beside of [false, true]) {
    it(`runs as a pipeline whose reduces ${beside ? "begin while maps still run" : "begin after the maps"}`, async () => {
      const pipeline = [
        ["map", "split", false],
        ["reduce", "group_label", beside],
      ];
      const inputs = texts.map((text) => [0, 0, [text]]);
      const end = await runWireJob(daemon.url, { jobdict: { pipeline, inputs }, data: { partitions: 3 } });
      assert.equal(end.status, "ready", end.events.join("\n"));
      assert.equal(end.results.length, 3);
      assert.deepEqual(countsOf(end), expectedCounts(texts));
    });
  }

  it("gives the results of a map without a reduce", async () => {
    const jobdict = { input: [["/no/such/file", texts[0]], "raw://tyger"], nr_reduces: 0, "map?": true };
    const end = await runWireJob(daemon.url, { version: 1, jobdict });
    assert.equal(end.status, "ready", end.events.join("\n"));
    const expected = expectedCounts(texts.slice(0, 1));
    const counts = end.outputs.flatMap(([, contents]) => contents.trimEnd().split("\n"));
    assert.equal(counts.length, expected.size + 1);
    assert.ok(counts.includes("tyger 1"));
  });
});
