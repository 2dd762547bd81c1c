/** The inputs of a foreign task, as its worker is to know them: from the job, or the outputs of the stage before that it is to read. */
import type { Grouping, InputSpec, Label, StageManifest, TaskInput } from "../../core/job/spec.ts";
import type { SessionInput } from "./session-inputs.ts";

/** What a worker is told instead of an address, so that it can be reached. */
export type AddressForWorker = (url: string) => string;

export function jobInputs(inputs: readonly InputSpec[], address: AddressForWorker): SessionInput[] {
  return inputs.map(({ label, replicas, everyLabel }) => ({
    label: everyLabel === true ? "all" : label,
    replicas: replicas.map(address),
  }));
}

/** In the order of the manifest. */
export function stageInputs(
  outputs: StageManifest["outputs"],
  input: Extract<TaskInput, { kind: "stage" }>,
  grouping: Grouping,
  address: AddressForWorker,
): SessionInput[] {
  const { stage, label, host, task } = input;
  // Without a label the worker reads all that is in an index.
  const read = grouping === "group_node" || grouping === "group_all" || label === undefined ? "all" : label;
  return outputs
    .filter(
      (output) =>
        (task === undefined || output.task === task) &&
        (host === undefined || output.ref.host === host) &&
        hasLabel(output.labels, label),
    )
    .map((output) => ({
      label: read,
      replicas: [address(`dir://${output.ref.host}/disco/${output.ref.file}`)],
      output: { stage, task: output.task, ref: output.ref },
    }));
}

function hasLabel(labels: readonly Label[] | undefined, label: Label | undefined): boolean {
  if (labels === undefined) return true;
  return label === undefined ? labels.length > 0 : labels.includes(label);
}
