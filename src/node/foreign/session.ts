/**
 * One attempt of a task in Disco's worker protocol: what the worker's messages mean, and what it is answered. Pure: messages and news in,
 * steps out; no process, clock or disk.
 *
 *   silent ──WORKER──▶ open ──INPUT, and there is none yet──▶ waiting ──inputsArrived──▶ open
 *                       │ │                                      │
 *                       │ └──INPUT_ERR of all replicas of an output──▶ checking ──checked──▶ open | over
 *                       └──DONE, ERROR, FATAL, what is no protocol──▶ over
 *
 * S1. Each message before the end has one answer, in order. A worker may send several before it reads: those that come while an
 *     answer is owed (waiting, checking) are for the caller to hold back (`holdsBack`).
 * S2. Inputs are complete once and for all: `done` is said when nothing will come any more.
 * S3. After the end nothing is answered: DONE, ERROR and FATAL are not, in Disco; the caller kills.
 */
import {
  type MasterMessage,
  type TaskBody,
  type WorkerMessage,
  workerProtocolVersion,
} from "../../protocol/worker-protocol/messages.ts";
import { outputLocation } from "./output-location.ts";
import { type SessionInput, SessionInputs, type StageOutput } from "./session-inputs.ts";

/** An output that the worker claims. Nothing of it has been checked but its form. */
export interface ClaimedOutput {
  readonly label: number;
  readonly place:
    | { readonly kind: "address"; readonly url: string }
    | { readonly kind: "path"; readonly segments: readonly string[] };
  /** Bytes, as the worker says. */
  readonly size: number;
}

export type SessionEnd =
  | { readonly kind: "done"; readonly outputs: readonly ClaimedOutput[] }
  /** The attempt failed, by the worker's own word or by its doing; another may succeed. `input`: that could not be read before. */
  | { readonly kind: "error"; readonly text: string; readonly input?: string }
  /** The worker says that the job is to end. */
  | { readonly kind: "fatal"; readonly text: string }
  /** It does not speak the protocol. */
  | { readonly kind: "violation"; readonly text: string }
  /** An output that it was to read does not exist any more. */
  | { readonly kind: "input-lost"; readonly output: StageOutput };

export type SessionStep =
  | { readonly kind: "answer"; readonly message: MasterMessage }
  /** `text` is for the job's log. Answered like any other. */
  | { readonly kind: "said"; readonly text: string; readonly message: MasterMessage }
  /** The answer comes with `inputsArrived`. */
  | { readonly kind: "wait" }
  /** The answer comes with `checked`: is the output still there? */
  | { readonly kind: "check"; readonly output: StageOutput }
  | { readonly kind: "end"; readonly end: SessionEnd };

/** Outputs of one task at most, and characters of their places together: their index has to be read as a whole. */
const outputsMax = 1_000_000;
const outputCharsMax = 32 * 1_024 * 1_024;

const ok: SessionStep = { kind: "answer", message: { kind: "OK", body: "ok" } };
const pong: SessionStep = { kind: "answer", message: { kind: "OK", body: "pong" } };
const fail: SessionStep = { kind: "answer", message: { kind: "FAIL", body: "" } };

export class ForeignSession {
  readonly #task: TaskBody;
  readonly #inputs = new SessionInputs();
  readonly #outputs: ClaimedOutput[] = [];
  #outputChars = 0;
  #state: "silent" | "open" | "waiting" | "checking" | "over" = "silent";
  #complete = false;
  /** Asked for and not answered, while `waiting`. */
  #asked: Extract<WorkerMessage, { kind: "INPUT" }> | null = null;
  /** In question, while `checking`. */
  #suspect: StageOutput | null = null;
  /** An address that the worker could not read from anywhere. */
  #unreadable: string | undefined;

  /** `complete`: no inputs will come besides these. */
  constructor(options: { task: TaskBody; inputs: readonly SessionInput[]; complete: boolean }) {
    this.#task = options.task;
    this.#inputs.add(options.inputs);
    this.#complete = options.complete;
  }

  /** The worker has announced itself. */
  get isAnnounced(): boolean {
    return this.#state !== "silent";
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** An answer is owed: what the worker sends meanwhile is not to be given to `receive`. */
  get holdsBack(): boolean {
    return this.#state === "waiting" || this.#state === "checking";
  }

  /** It waits for inputs that are being made. */
  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  receive(message: WorkerMessage): SessionStep {
    if (this.#state === "over" || this.holdsBack) throw new Error(`the session is ${this.#state}: no message fits`);
    if (this.#state === "silent" && message.kind !== "WORKER") {
      const text = `The first message was ${message.kind}: a worker announces itself with WORKER before all else`;
      return this.#end({ kind: "violation", text });
    }
    switch (message.kind) {
      case "WORKER":
        return this.#announced(message.version);
      case "TASK":
        return { kind: "answer", message: { kind: "TASK", body: this.#task } };
      case "INPUT":
        return this.#input(message);
      case "INPUT_ERR":
        return this.#inputFailed(message.input, message.replicas);
      case "MSG":
        return { kind: "said", text: message.text, message: { kind: "OK", body: "ok" } };
      case "OUTPUT":
        return this.#output(message);
      case "PING":
        return pong;
      case "DONE":
        return this.#end({ kind: "done", outputs: this.#outputs });
      case "ERROR": {
        const { text } = message;
        return this.#end({
          kind: "error",
          text,
          ...(this.#unreadable === undefined ? {} : { input: this.#unreadable }),
        });
      }
      case "FATAL":
        return this.#end({ kind: "fatal", text: message.text });
    }
  }

  /**
   * More inputs, or none any more (concurrent stages); those that it has already may be among them. `null`: nobody waits for them.
   */
  inputsArrived(inputs: readonly SessionInput[], complete: boolean): SessionStep | null {
    if (this.#complete) return null;
    this.#inputs.add(inputs);
    this.#complete = complete;
    if (this.#asked === null) return null;
    const asked = this.#asked;
    this.#asked = null;
    this.#state = "open";
    return this.#input(asked);
  }

  /** The answer to `check`. */
  checked(lost: boolean): SessionStep {
    const output = this.#suspect;
    if (this.#state !== "checking" || output === null) throw new Error("nothing is being checked");
    this.#suspect = null;
    this.#state = "open";
    return lost ? this.#end({ kind: "input-lost", output }) : fail;
  }

  #announced(version: string): SessionStep {
    if (this.#state !== "silent") return this.#end({ kind: "violation", text: "WORKER was sent a second time" });
    if (version !== workerProtocolVersion) {
      const text = `Invalid worker version: ${version}. The protocol's version is ${workerProtocolVersion}`;
      return this.#end({ kind: "violation", text });
    }
    this.#state = "open";
    return ok;
  }

  #input(asked: Extract<WorkerMessage, { kind: "INPUT" }>): SessionStep {
    const entries = this.#inputs.selected(asked.select, asked.ids);
    if (entries.length === 0 && !this.#complete) {
      this.#asked = asked;
      this.#state = "waiting";
      return { kind: "wait" };
    }
    return { kind: "answer", message: { kind: "INPUT", body: [this.#complete ? "done" : "more", entries] } };
  }

  #inputFailed(id: number, replicas: readonly number[]): SessionStep {
    const input = this.#inputs.at(id);
    if (input === undefined) {
      const text = `INPUT_ERR names the input ${id}: there are ${this.#inputs.size}, counted from 0`;
      return this.#end({ kind: "error", text });
    }
    const others = this.#inputs.failed(id, replicas);
    if (others.length > 0) return { kind: "answer", message: { kind: "RETRY", body: others } };
    this.#unreadable = input.replicas[0];
    if (input.output === undefined) return fail;
    this.#suspect = input.output;
    this.#state = "checking";
    return { kind: "check", output: input.output };
  }

  #output({ label, location, size }: Extract<WorkerMessage, { kind: "OUTPUT" }>): SessionStep {
    const place = outputLocation(location);
    if (place.kind === "wrong") return this.#end({ kind: "error", text: `Invalid output: ${place.why}` });
    this.#outputChars += location.length;
    if (this.#outputs.length >= outputsMax || this.#outputChars > outputCharsMax) {
      const limits = `${outputsMax} outputs, and ${outputCharsMax} characters of their paths`;
      return this.#end({ kind: "error", text: `Too many outputs: a task has at most ${limits}` });
    }
    this.#outputs.push({ label, place, size });
    return ok;
  }

  #end(end: SessionEnd): SessionStep {
    this.#state = "over";
    return { kind: "end", end };
  }
}
