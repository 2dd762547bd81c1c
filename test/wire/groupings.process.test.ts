/** Which tasks a stage has and what each of them is given, for every grouping, against a computation that knows of nothing else. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { runWireJob, scenarioFiles, type WireEnd } from "./client.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

type Label = number | "all";

interface Seen {
  readonly group: readonly [label: number, host: string];
  readonly inputs: readonly (readonly [label: Label, seen: unknown])[];
}

interface Data {
  readonly label: number;
  readonly host: string;
  readonly seen: unknown;
}

const groupings = ["split", "group_label", "group_node", "group_node_label", "group_all"] as const;
/** By what inputs come together; those of one key are a task's. */
const keyOf: Readonly<
  Record<(typeof groupings)[number], (data: Data, i: number) => readonly [number, string, number?]>
> = {
  split: ({ label, host }, i) => [label, host, i],
  group_label: ({ label }) => [label, ""],
  group_node: ({ host }) => [0, host],
  group_node_label: ({ label, host }) => [label, host],
  group_all: () => [0, ""],
};

function sorted(seen: readonly Seen[]): Seen[] {
  const text = (value: unknown): string => JSON.stringify(value);
  const compare = (a: unknown, b: unknown): number => (text(a) < text(b) ? -1 : 1);
  return seen.map(({ group, inputs }) => ({ group, inputs: inputs.toSorted(compare) })).toSorted(compare);
}

function seenBy({ status, outputs, events }: WireEnd): Seen[] {
  assert.equal(status, "ready", events.join("\n"));
  return sorted(outputs.map(([, text]) => JSON.parse(text) as Seen));
}

function grouped(all: readonly Data[], grouping: (typeof groupings)[number]): Map<string, Data[]> {
  const groups = new Map<string, Data[]>();
  for (const [i, data] of all.entries()) {
    const key = JSON.stringify(keyOf[grouping](data, i));
    groups.set(key, [...(groups.get(key) ?? []), data]);
  }
  return groups;
}

describe("groupings", { skip: noPython }, () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await startDaemon();
  });
  after(() => daemon[Symbol.asyncDispose]());

  // What follows raw:// counts as the host.
  const data: readonly Data[] = [
    [0, "h1"],
    [0, "h2"],
    [1, "h1"],
    [1, "h2"],
    [7, "h1"],
    [0, "h1"],
  ].map(([label, host]) => ({ label: label as number, host: host as string, seen: `raw://${host}` }));

  for (const grouping of groupings) {
    it(`${grouping} of a job's inputs`, async () => {
      const jobdict = {
        pipeline: [["see", grouping, false]],
        inputs: data.map(({ label, seen }) => [label, 0, [seen]]),
      };
      const end = await runWireJob(daemon.url, { jobdict, files: scenarioFiles, data: { do: { see: "see" } } });
      const expected = [...grouped(data, grouping)].map(([key, its]) => {
        const [label, host] = JSON.parse(key) as [number, string];
        return { group: [label, host] as const, inputs: its.map((one) => [one.label, one.seen] as const) };
      });
      assert.deepEqual(seenBy(end), sorted(expected));
    });
  }

  const spread = ["0.a+1.b", "1.c+2.d", "0.e"];
  const node = "localhost";

  for (const [grouping, beside] of groupings.flatMap((each) => [[each, false] as const, [each, true] as const])) {
    it(`${grouping} of the outputs of a stage ${beside ? "that still runs" : "that has ended"}`, async () => {
      const jobdict = {
        pipeline: [
          ["spread", "split", false],
          ["see", grouping, beside],
        ],
        inputs: spread.map((text) => [0, 0, [`raw://${text}`]]),
      };
      const steps = { spread: "spread", see: "see" };
      const end = await runWireJob(daemon.url, { jobdict, files: scenarioFiles, data: { do: steps } });
      assert.deepEqual(seenBy(end), sorted(expectedOf(grouping)));
    });
  }

  it("a task reads outputs of a stage that cannot end before it does", async () => {
    const jobdict = {
      pipeline: [
        ["wait_for_reader", "split", false],
        ["read_beside", "group_all", true],
        ["copy_all", "group_label", false],
      ],
      inputs: ["a", "wait", "b"].map((text) => [0, 0, [`raw://${text}`]]),
    };
    const steps = { wait_for_reader: "wait_for_reader", read_beside: "read_beside", copy_all: "see" };
    const { status, outputs, events } = await runWireJob(daemon.url, {
      jobdict,
      files: scenarioFiles,
      data: { do: steps },
    });
    assert.equal(status, "ready", events.join("\n"));
    const [seen] = outputs.map(([, text]) => JSON.parse(text) as Seen);
    assert.deepEqual(seen?.inputs, [[0, [[0, '["a", "b", "wait"]']]]]);
  });

  /** Outputs are grouped by their labels; each input of a task is the index of a task before, with one label or all. */
  function expectedOf(grouping: (typeof groupings)[number]): Seen[] {
    const indexes = spread.map((text) =>
      text.split("+").map((part) => [Number(part.slice(0, 1)), part.slice(2)] as const),
    );
    if (grouping === "group_node" || grouping === "group_all") {
      const inputs = indexes.map((lines) => ["all", lines] as const);
      return [{ group: [0, grouping === "group_node" ? node : ""], inputs }];
    }
    const all = indexes.flatMap((lines) => lines.map((line) => ({ label: line[0], host: node, seen: [line] })));
    return [...grouped(all, grouping)].map(([key, its]) => {
      const [label, host] = JSON.parse(key) as [number, string];
      return { group: [label, host], inputs: its.map((one) => [one.label, one.seen]) };
    });
  }
});
