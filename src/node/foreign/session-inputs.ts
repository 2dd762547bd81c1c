/**
 * The inputs of one attempt, as its worker knows them: numbered in the order in which they came, each with numbered replicas. Numbers
 * never change, so that a worker of a concurrent stage can exclude those that it has read.
 *
 * Every input is offered as `ok`. `failed` says nothing that the order of the replicas does not, and Disco's own Python worker answers it
 * with a recursion without end; `busy` is never true, as an attempt whose input is being made again has been ended
 * (`ForeignSession.checked`).
 */
import type { OutputRef } from "../../core/job/spec.ts";
import type { InputEntry } from "../../protocol/worker-protocol/messages.ts";

/** The output of a task of the stage before. */
export interface StageOutput {
  readonly stage: number;
  readonly task: number;
  readonly ref: OutputRef;
}

export interface SessionInput {
  /** `all`: the worker reads every label of the index. */
  readonly label: number | "all";
  /** Addresses as the worker gets them, at least one. */
  readonly replicas: readonly string[];
  /** Absent: an input of the job. */
  readonly output?: StageOutput;
}

interface Replica {
  readonly url: string;
  failures: number;
  /** When it failed last, in failures of the attempt; 0: never. */
  failedAt: number;
}

/** A replica that failed so often is not offered as a way out any more: workers that try one after the other end some time. */
const replicaFailuresMax = 3;

export class SessionInputs {
  readonly #inputs: { readonly input: SessionInput; readonly replicas: readonly Replica[] }[] = [];
  /** Number of the input that an output is, by stage and task. */
  readonly #outputs = new Map<string, number>();
  #failures = 0;

  get size(): number {
    return this.#inputs.length;
  }

  /** What is known already is left out. An output that was made again has new replicas under the number that it has. */
  add(inputs: readonly SessionInput[]): void {
    for (const input of inputs) {
      const made = { input, replicas: input.replicas.map((url) => ({ url, failures: 0, failedAt: 0 })) };
      const key = input.output === undefined ? null : `${input.output.stage}/${input.output.task}`;
      const known = key === null ? undefined : this.#outputs.get(key);
      if (known === undefined) {
        if (key !== null) this.#outputs.set(key, this.#inputs.length);
        this.#inputs.push(made);
      } else if (!isSame(this.#inputs[known]?.input.output, input.output)) this.#inputs[known] = made;
    }
  }

  at(id: number): SessionInput | undefined {
    return this.#inputs[id]?.input;
  }

  /** One that does not exist is `failed`. */
  entry(id: number): InputEntry {
    const known = this.#inputs[id];
    if (known === undefined) return [id, "failed", "all", []];
    return [id, "ok", known.input.label, replicasOf(known.replicas)];
  }

  selected(select: "all" | "include" | "exclude", ids: readonly number[]): InputEntry[] {
    // Each once, however often it is named: answers are not to be endlessly longer than questions.
    if (select === "include") return Array.from(new Set(ids), (id) => this.entry(id));
    const excluded = new Set(select === "exclude" ? ids : []);
    return this.#inputs.flatMap((_, id) => (excluded.has(id) ? [] : [this.entry(id)]));
  }

  /** These replicas could not be read. What may be tried instead, those that failed least recently first; none: nothing. */
  failed(id: number, replicaIds: readonly number[]): (readonly [id: number, url: string])[] {
    const replicas = this.#inputs[id]?.replicas ?? [];
    const tried = new Set(replicaIds);
    for (const replicaId of tried) {
      const replica = replicas[replicaId];
      if (replica === undefined) continue;
      replica.failures++;
      replica.failedAt = ++this.#failures;
    }
    return replicasOf(replicas, ({ failures }, at) => !tried.has(at) && failures < replicaFailuresMax);
  }
}

function isSame(a: StageOutput | undefined, b: StageOutput | undefined): boolean {
  return a?.ref.host === b?.ref.host && a?.ref.file === b?.ref.file;
}

function replicasOf(
  replicas: readonly Replica[],
  fits: (replica: Replica, id: number) => boolean = () => true,
): (readonly [id: number, url: string])[] {
  return replicas
    .map((replica, id) => ({ replica, id }))
    .filter(({ replica, id }) => fits(replica, id))
    .sort((a, b) => a.replica.failedAt - b.replica.failedAt || a.id - b.id)
    .map(({ replica, id }) => [id, replica.url] as const);
}
