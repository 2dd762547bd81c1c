/**
 * Groupings over two nodes: what is made on one of them is read on the other, and a stage that is grouped by nodes has a task for each.
 * Each output says where it was made, so that what the tasks were given can be grouped anew.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { ProcessStand } from "../cluster/stand.test-kit.ts";
import { runWireJob, scenarioFiles } from "./client.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

interface Seen {
  readonly group: readonly [label: number, host: string];
  /** What an index has: label and contents. */
  readonly inputs: readonly (readonly [label: number | "all", seen: readonly (readonly [number, string])[]])[];
}

const nodes = ["first-node", "other-node"];
const letters = "abcdefghijkl".split("");
/** Three labels; each task of the first stage makes two outputs. */
const inputs = letters.map((letter, i) => `${i % 3}.${letter}1+${(i + 1) % 3}.${letter}2`);

const groupOf = {
  split: (label: number, host: string, text: string) => [label, host, text],
  group_label: (label: number) => [label, ""],
  group_node: (_label: number, host: string) => [0, host],
  group_node_label: (label: number, host: string) => [label, host],
  group_all: () => [0, ""],
} as const;

describe("groupings over two nodes", { skip: noPython || skipWithoutNats(), timeout: 300_000 }, () => {
  let stand: ProcessStand;
  before(async () => {
    stand = await ProcessStand.open({ servers: 1, masters: 1, nodes });
  });
  after(() => stand[Symbol.asyncDispose]());

  for (const [grouping, keyOf] of Object.entries(groupOf)) {
    it(grouping, async () => {
      const end = await runWireJob(stand.masterUrls[0] ?? "", {
        files: scenarioFiles,
        jobdict: {
          pipeline: [
            ["spread", "split", false],
            ["see", grouping, false],
          ],
          inputs: inputs.map((text) => [0, 0, [`raw://${text}`]]),
        },
        data: { do: { spread: "spread_signed", see: "see" } },
      });
      assert.equal(end.status, "ready", end.events.join("\n"));
      const tasks = end.outputs.map(([, text]) => JSON.parse(text) as Seen);
      const given = tasks.map(({ inputs }) => inputs.flatMap(([, seen]) => seen));
      const texts = given.flat().map(([, text]) => text.split("@")[0] ?? "");
      assert.deepEqual(texts.toSorted(), letters.flatMap((letter) => [`${letter}1`, `${letter}2`]).toSorted());
      const hosts = new Set(given.flat().map(([, text]) => text.split("@")[1] ?? ""));
      assert.deepEqual([...hosts].toSorted(), nodes, "both nodes have made outputs");

      const expected = new Map<string, string[]>();
      for (const [label, text] of given.flat()) {
        const [name = "", host = ""] = text.split("@");
        const key = JSON.stringify(keyOf(label, host, name));
        expected.set(key, [...(expected.get(key) ?? []), text]);
      }
      const found = tasks.map(({ group }, i) => [group, given[i]?.map(([, text]) => text).toSorted()] as const);
      const sorted = (all: readonly (readonly [readonly unknown[], unknown])[]): string[] =>
        all.map((one) => JSON.stringify(one)).toSorted();
      assert.deepEqual(
        sorted(found),
        sorted([...expected].map(([key, its]) => [(JSON.parse(key) as unknown[]).slice(0, 2), its.toSorted()])),
      );
    });
  }
});
