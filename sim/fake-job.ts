/**
 * Jobs whose tasks compute fingerprints: the output of a task, for each label, is a function of all that it read. So one
 * record lost, doubled or taken from the wrong attempt anywhere changes what comes out at the end.
 */
import type { Grouping, JobSpec, TaskInput } from "../src/core/job/spec.ts";
import type { Random } from "./random.ts";
import { fingerprint } from "./random.ts";

/** What a task wrote, by label. */
export type Contents = ReadonlyMap<number, string>;

export interface FakeJob {
  readonly spec: JobSpec;
  readonly partitions: number;
  /** Each attempt of a task writes something else, sometimes for other labels. */
  readonly fickle: boolean;
  /** `stage/task` that always fails, in the same way. */
  readonly poison: string | null;
  /** Its result depends on nothing but the job: no grouping by node, not fickle. */
  readonly exact: boolean;
}

const byHost: readonly Grouping[] = ["group_node", "group_node_label"];
const besidePlain: readonly Grouping[] = ["split", "split", "group_label", "group_all"];
const plain: readonly Grouping[] = ["split", "group_label", "group_label", "group_all"];

/** `beside`: stages may run beside the stages before them. */
export function randomJob(random: Random, hosts: readonly string[], beside = false): FakeJob {
  const stages = beside ? random.int(2, 4) : random.int(1, 3);
  // Groupings by node depend most on where things run, and on what is lost: some jobs have nothing else.
  const groupings = random.chance(0.3) ? byHost : beside ? besidePlain : plain;
  const pipeline = Array.from({ length: stages }, (_, n) => ({
    name: `stage${n}`,
    grouping: n === 0 && random.chance(0.8) ? ("split" as const) : random.pick(groupings),
    ...(beside && n > 0 && random.chance(0.8) ? { concurrent: true as const } : {}),
  }));
  const inputs = Array.from({ length: random.int(1, 8) }, (_, n) => {
    const holders = Array.from({ length: random.int(1, 2) }, () => (random.chance(0.6) ? random.pick(hosts) : null));
    return {
      label: random.int(0, 1),
      size: random.int(0, 9),
      replicas: holders.map((_h, r) => `sim://${n}/${r}`),
      hosts: holders,
    };
  });
  const fickle = random.chance(0.3);
  return {
    partitions: random.int(1, 4),
    fickle,
    poison: random.chance(0.05) ? `${random.int(0, stages - 1)}/0` : null,
    exact: !fickle && pipeline.every(({ grouping }) => !byHost.includes(grouping)),
    spec: {
      prefix: "sim",
      owner: "sim",
      inputs,
      pipeline,
      scheduler: { maxCores: random.chance(0.2) ? 1 : 2 ** 31, forceLocal: false, forceRemote: false },
      retries: 5,
      taskTimeoutMs: null,
      memoryLimitBytes: 2 ** 30,
      labels: {},
      keep: random.chance(0.1),
      ...(random.chance(0.3) ? { save: { results: true, oob: false } } : {}),
    },
  };
}

/** What a task makes of what it read, in order. `attempt` matters to fickle jobs only. */
export function compute(
  job: FakeJob,
  stage: number,
  read: readonly string[],
  attempt: number,
  inputLabel: number,
): Contents {
  const whole = fingerprint(`${stage}|${read.join("|")}${job.fickle ? `#${attempt}` : ""}`);
  if (stage === job.spec.pipeline.length - 1) return new Map([[inputLabel, whole]]);
  const contents = new Map<number, string>();
  for (let label = 0; label < job.partitions; label++) {
    const part = fingerprint(`${whole}/${label}`);
    if (Number.parseInt(part, 16) % 4 > 0) contents.set(label, part);
  }
  return contents;
}

export function digestOf(contents: Contents): string {
  return fingerprint(JSON.stringify([...contents]));
}

/** What a task reads of the outputs of the stage before, given in ascending order of tasks. */
export function select(
  input: TaskInput & { kind: "stage" },
  outputs: readonly { task: number; host: string; contents: Contents }[],
): string[] {
  const read: string[] = [];
  for (const { task, host, contents } of outputs) {
    if (input.task !== undefined && input.task !== task) continue;
    if (input.host !== undefined && input.host !== host) continue;
    for (const [label, content] of contents) if (input.label === undefined || input.label === label) read.push(content);
  }
  return read;
}

/** The result of an exact job, computed in one place by the plainest means: what the cluster has to come to. */
export function expected(job: FakeJob): string[] {
  let outputs: { task: number; host: string; contents: Contents }[] = [];
  job.spec.pipeline.forEach(({ grouping }, stage) => {
    const labels = new Set<number>();
    const inputs = job.spec.inputs.map(({ label }, n) => ({ label, content: `input ${n}` }));
    if (stage === 0) for (const { label } of inputs) labels.add(label);
    else for (const { contents } of outputs) for (const label of contents.keys()) labels.add(label);
    const ascending = [...labels].sort((a, b) => a - b);
    const reads: { read: string[]; label: number }[] = [];
    if (stage === 0) {
      if (grouping === "split") for (const { label, content } of inputs) reads.push({ read: [content], label });
      else if (grouping === "group_all") reads.push({ read: inputs.map(({ content }) => content), label: 0 });
      else
        for (const label of ascending)
          reads.push({ read: inputs.filter((one) => one.label === label).map((one) => one.content), label });
    } else if (grouping === "split") {
      for (const { contents } of outputs)
        for (const [label, content] of contents) reads.push({ read: [content], label });
    } else if (grouping === "group_all") {
      const read = outputs.flatMap(({ contents }) => [...contents.values()]);
      if (read.length > 0) reads.push({ read, label: 0 });
    } else {
      for (const label of ascending) {
        reads.push({
          read: outputs.flatMap(({ contents }) => (contents.has(label) ? [contents.get(label) as string] : [])),
          label,
        });
      }
    }
    outputs = reads.map(({ read, label }, task) => ({ task, host: "", contents: compute(job, stage, read, 0, label) }));
  });
  return outputs.map(({ contents }) => digestOf(contents));
}
