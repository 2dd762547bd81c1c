/**
 * How the inputs of a stage become its tasks (Disco 0.5's groupings). A group is what one task reads, and where that lies.
 *
 * P1. Tasks are numbered in ascending order of what they read (input; or producing task, label; or host, label), so the
 *     numbers do not depend on timing. Tasks of a stage that grew (`concurrent.ts`) are numbered as they came, and have that order
 *     beside (`Stage.order`).
 * P2. Only outputs with records make tasks: a label that nobody emitted has no reduce, as in Disco. A stage whose
 *     inputs are all empty has no tasks, and the job goes on past it.
 */
import type { Outputs } from "./outputs.ts";
import type { Grouping, InputSpec } from "./spec.ts";

/** A host that holds at least this share of a task's input is worth waiting for. */
const localShare = 0.25;

export interface Group {
  readonly label: number | null;
  readonly host: string | null;
  /** `split` of a later stage: the task whose output it is. */
  readonly task: number | null;
  /** First stage only: which job inputs. */
  readonly inputs: readonly number[] | null;
  readonly bytes: number;
  /** Hosts that hold (a good part of) the input. */
  readonly hosts: readonly string[];
}

/** What identifies a group among those of its stage. */
export function groupKey(group: Group): string {
  // The host of a `split` group is only where it lies now.
  return `${group.task ?? ""}/${group.task === null ? (group.host ?? "") : ""}/${group.label ?? ""}`;
}

const nobody: readonly string[] = [];

/** Nodes that hold the input. The common cases share their arrays: a job may have a million inputs. */
function hostsOf({ hosts }: InputSpec): readonly string[] {
  if (hosts.every((host) => host === null)) return nobody;
  if (hosts.length === 1) return hosts as readonly string[];
  return [...new Set(hosts.filter((host) => host !== null))];
}

/** The groups of a first stage. `split` gives one for each input. */
export function groupInputs(grouping: Grouping, inputs: readonly InputSpec[]): Group[] {
  if (grouping === "split") {
    return inputs.map((input, number) => {
      const hosts = hostsOf(input);
      return { label: input.label, host: hosts[0] ?? null, task: null, inputs: [number], bytes: input.size, hosts };
    });
  }
  const gathered = new Gather(grouping);
  inputs.forEach((input, number) => {
    const hosts = hostsOf(input);
    gathered.add(input.label, hosts[0] ?? null, null, input.size, hosts, number);
  });
  return gathered.groups();
}

/** The groups of a later stage, from the outputs of the one before: of all of them in the order of their tasks, or of these. */
export function groupOutputs(grouping: Grouping, outputs: Outputs, tasks: Iterable<number> | null = null): Group[] {
  const gathered = new Gather(grouping);
  for (const task of tasks ?? upTo(outputs.count)) {
    if (!outputs.has(task)) continue;
    const host = outputs.host(task);
    outputs.eachLabel(task, (label, bytes, records) => {
      if (records > 0 || bytes > 0) gathered.add(label, host, task, bytes, [host], null);
    });
  }
  return gathered.groups();
}

function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

interface Gathering {
  readonly label: number | null;
  readonly host: string | null;
  readonly task: number | null;
  readonly inputs: number[];
  bytes: number;
  readonly bytesByHost: Map<string, number>;
}

class Gather {
  readonly #grouping: Grouping;
  readonly #byKey = new Map<string, Gathering>();
  #ofInputs = false;

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  add(
    label: number,
    host: string | null,
    task: number | null,
    bytes: number,
    hosts: readonly string[],
    input: number | null,
  ): void {
    const grouping = this.#grouping;
    const byLabel = grouping === "split" || grouping === "group_label" || grouping === "group_node_label";
    const byHost = grouping === "group_node" || grouping === "group_node_label";
    const key = `${grouping === "split" ? task : ""}/${byHost ? (host ?? "") : ""}/${byLabel ? label : ""}`;
    let into = this.#byKey.get(key);
    if (into === undefined) {
      into = {
        label: byLabel ? label : null,
        host: byHost || grouping === "split" ? host : null,
        task: grouping === "split" ? task : null,
        inputs: [],
        bytes: 0,
        bytesByHost: new Map(),
      };
      this.#byKey.set(key, into);
    }
    into.bytes += bytes;
    for (const holder of hosts) into.bytesByHost.set(holder, (into.bytesByHost.get(holder) ?? 0) + bytes);
    if (input !== null) {
      into.inputs.push(input);
      this.#ofInputs = true;
    }
  }

  groups(): Group[] {
    const groups = [...this.#byKey.values()];
    if (this.#grouping !== "split") groups.sort(inOrder);
    return groups.map((group) => ({
      label: group.label,
      host: group.host,
      task: group.task,
      inputs: this.#ofInputs ? group.inputs : null,
      bytes: group.bytes,
      hosts: [...group.bytesByHost]
        .filter(([, bytes]) => bytes >= group.bytes * localShare)
        .map(([host]) => host)
        .sort(),
    }));
  }
}

function inOrder(a: Gathering, b: Gathering): number {
  const hostA = a.host ?? "";
  const hostB = b.host ?? "";
  if (hostA !== hostB) return hostA < hostB ? -1 : 1;
  return (a.label ?? 0) - (b.label ?? 0);
}
