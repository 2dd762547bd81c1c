import assert from "node:assert/strict";
import { test } from "node:test";
import type { StageManifest, TaskInput } from "../../core/job/spec.ts";
import { jobInputs, stageInputs } from "./task-inputs.ts";

const same = (url: string): string => url;

function manifest(
  ...outputs: readonly (readonly [host: string, labels: readonly number[]])[]
): StageManifest["outputs"] {
  return outputs.map(([host, labels], task) => ({
    task,
    labels,
    ref: { host, file: `${host}/00/job/.disco/map-${task}.results`, at: 0, length: 1, digest: "d" },
  }));
}

function read(
  outputs: StageManifest["outputs"],
  grouping: Parameters<typeof stageInputs>[2],
  input: Omit<Extract<TaskInput, { kind: "stage" }>, "kind" | "stage" | "version">,
): unknown[] {
  return stageInputs(outputs, { kind: "stage", stage: 0, version: 1, ...input }, grouping, same).map(
    ({ label, replicas, output }) => `${output?.task} ${label} ${replicas.join()}`,
  );
}

test("inputs of the job keep their labels and replicas; of an index that is read whole all labels are wanted", () => {
  const hosts = [null];
  const inputs = [
    { label: 3, size: 0, replicas: ["far:1", "far:2"], hosts },
    { label: 0, size: 0, replicas: ["far:3"], hosts, everyLabel: true as const },
  ];
  assert.deepEqual(
    jobInputs(inputs, (url) => url.replace("far", "near")),
    [
      { label: 3, replicas: ["near:1", "near:2"] },
      { label: "all", replicas: ["near:3"] },
    ],
  );
});

test("each grouping has a task read what is in its group, by the labels that it is of", () => {
  const outputs = manifest(["a", [0, 1]], ["b", [1]], ["a", []]);
  const at = (task: number, label: number | "all", host: string): string =>
    `${task} ${label} dir://${host}/disco/${host}/00/job/.disco/map-${task}.results`;
  assert.deepEqual(read(outputs, "split", { task: 0, label: 1 }), [at(0, 1, "a")]);
  assert.deepEqual(read(outputs, "group_label", { label: 1 }), [at(0, 1, "a"), at(1, 1, "b")]);
  assert.deepEqual(read(outputs, "group_node_label", { label: 1, host: "b" }), [at(1, 1, "b")]);
  assert.deepEqual(read(outputs, "group_node", { host: "a" }), [at(0, "all", "a")]);
  assert.deepEqual(read(outputs, "group_all", {}), [at(0, "all", "a"), at(1, "all", "b")]);
});

test("inputs are in the order of the manifest, which is the order of the groups", () => {
  const [first, second] = manifest(["a", [0]], ["b", [0]]);
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(
    stageInputs([second, first], { kind: "stage", stage: 0, version: 1 }, "group_all", same).map(
      (each) => each.output?.task,
    ),
    [1, 0],
  );
});
