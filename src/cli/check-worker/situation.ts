/** What a worker meets in one run: its task, its inputs, and how its questions are answered. The answers are the node's own. */
import { type ClaimedOutput, ForeignSession, type SessionEnd, type SessionStep } from "../../node/foreign/session.ts";
import type { SessionInput } from "../../node/foreign/session-inputs.ts";
import type { MasterMessage, TaskBody, WorkerMessage } from "../../protocol/worker-protocol/messages.ts";

export interface Situation {
  readonly task: TaskBody;
  /** Inputs that become known in steps: with each question for inputs the next step is there. */
  readonly steps: readonly (readonly SessionInput[])[];
  /** The worker is told the first replica of each input only, until it says that one is broken. */
  readonly firstReplicaOnly?: true;
  /** How answers arrive. Default: whole. */
  readonly delivery?: "single-bytes";
  /** How long each answer takes. Default: 0. */
  readonly delayMs?: number;
  /** After this message nobody answers any more: the node is gone. */
  readonly goneAt?: WorkerMessage["kind"];
  /** The worker is watched for a moment after its last word. */
  readonly watched?: true;
}

export type Verdict = Exclude<SessionEnd, { kind: "input-lost" }>;
export type { ClaimedOutput };

/** A node's side of a session, in a situation. */
export class Master {
  readonly #situation: Situation;
  readonly #session: ForeignSession;
  #step = 1;
  #hasAsked = false;
  #hidesReplicas: boolean;

  constructor(situation: Situation) {
    const { task, steps } = situation;
    this.#situation = situation;
    this.#hidesReplicas = situation.firstReplicaOnly === true;
    this.#session = new ForeignSession({ task, inputs: steps[0] ?? [], complete: steps.length <= 1 });
  }

  /** What the worker is answered, or how its session ends. */
  receive(message: WorkerMessage): MasterMessage | Verdict {
    if (message.kind === "INPUT" && this.#hasAsked) this.#takeStep();
    if (message.kind === "INPUT") this.#hasAsked = true;
    if (message.kind === "INPUT_ERR") this.#hidesReplicas = false;
    let step = this.#session.receive(message);
    // As a node does, it leaves no question without something new, unless there is nothing that could come.
    while (step.kind === "wait") {
      const next = this.#takeStep();
      if (next === null) throw new Error("a list of inputs ends");
      step = next;
    }
    if (step.kind === "check") step = this.#session.checked(false);
    if (step.kind === "answer" || step.kind === "said") return this.#shown(step.message);
    if (step.kind === "end" && step.end.kind !== "input-lost") return step.end;
    throw new Error(`inputs of a check are no outputs: ${step.kind}`);
  }

  #takeStep(): SessionStep | null {
    const { steps } = this.#situation;
    const inputs = steps[this.#step];
    if (inputs === undefined) return null;
    this.#step++;
    return this.#session.inputsArrived(inputs, this.#step === steps.length);
  }

  #shown(message: MasterMessage): MasterMessage {
    if (!this.#hidesReplicas || message.kind !== "INPUT") return message;
    const [state, entries] = message.body;
    return {
      kind: "INPUT",
      body: [state, entries.map(([id, status, label, replicas]) => [id, status, label, replicas.slice(0, 1)] as const)],
    };
  }
}
