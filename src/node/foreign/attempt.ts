/**
 * One attempt of a task by a foreign worker: its program, its session, and what keeps both within bounds.
 *
 *   talking ──garbage──▶ dying ──last words are in──▶ ending ──the program has ended──▶ ended
 *      │                                                ▲
 *      └──the session's end, a limit, its own exit──────┘
 *
 * A1. When it has ended, nothing of its process group lives: what is said of its files afterwards stays true.
 * A2. It holds one message of the worker and `unreadBytesMax` of answers at most: a worker that asks without reading, or that has to
 *     wait for its inputs, is not read from.
 * A3. A worker is never killed for saying too much: `said` decides what is kept.
 */
import type { TaskFailure } from "../../errors.ts";
import { encodeFrame, type Frame, FrameError, FrameReader } from "../../protocol/worker-protocol/frames.ts";
import { type MasterMessage, MessageError, readWorkerMessage } from "../../protocol/worker-protocol/messages.ts";
import {
  exitFailure,
  garbageFailure,
  memoryFailure,
  nodeFailure,
  type SlowWorker,
  slowFailure,
  startFailure,
} from "./attempt-failure.ts";
import { type AttemptLimits, usualLimits } from "./limits.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { ForeignProgram, type ProgramCommand, type ProgramEnd } from "./program.ts";
import type { ForeignSession, SessionEnd, SessionStep } from "./session.ts";
import type { SessionInput, StageOutput } from "./session-inputs.ts";

export type AttemptEnd =
  | { readonly kind: "session"; readonly end: SessionEnd; readonly peakBytes: number }
  | { readonly kind: "failed"; readonly failure: TaskFailure }
  /** As we were told to. */
  | { readonly kind: "killed"; readonly program: ProgramEnd };

export interface AttemptOptions {
  readonly command: ProgramCommand;
  readonly session: ForeignSession;
  readonly memoryLimitBytes: number;
  readonly limits?: Partial<AttemptLimits> | undefined;
  /** For the job's log. */
  readonly said: (text: string) => void;
  /** Whether an output that the worker cannot read does not exist any more. */
  readonly isLost: (output: StageOutput) => Promise<boolean>;
  readonly ended: (end: AttemptEnd) => void;
}

/** Of a worker that reads nothing any more they need not be answered: what it says counts. */
const questions: ReadonlySet<string> = new Set(["TASK", "INPUT", "PING"]);

const okFrame = encodeFrame("OK", "ok");

export class ForeignAttempt {
  readonly #options: AttemptOptions;
  readonly #limits: AttemptLimits;
  readonly #session: ForeignSession;
  readonly #program: ForeignProgram;
  #memory: MemoryWatch | null = null;
  /** Each stream on its own: what a library prints to the one does not tear a message on the other. */
  readonly #readers = { 1: new FrameReader(), 2: new FrameReader() };
  #backlog: Frame[] = [];
  #garbage: FrameError | null = null;
  #lastWords: Buffer[] = [];
  #lastWordsBytes = 0;
  /** What it will end as, when the program has ended. */
  #outcome: AttemptEnd | null = null;
  #killed = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  #timerOf: SlowWorker | "last-words" | null = null;
  #killTimer: NodeJS.Timeout | undefined;
  #heardAt = performance.now();

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    this.#session = options.session;
    this.#program = new ForeignProgram(options.command, {
      bytes: (stream, bytes) => this.#read(stream, bytes),
      started: (pid) => this.#watchMemory(pid),
      drained: () => this.#work(),
      ended: (end) => this.#programEnded(end),
    });
    this.#watch("announce");
  }

  get pid(): number | null {
    return this.#program.pid;
  }

  /** How long it has sent nothing; 0 while it waits for inputs that are not there. */
  get quietMs(): number {
    return this.#session.isWaiting ? 0 : performance.now() - this.#heardAt;
  }

  inputsArrived(inputs: readonly SessionInput[], complete: boolean): void {
    if (this.#outcome !== null || this.#ended) return;
    const step = this.#session.inputsArrived(inputs, complete);
    if (step === null) return;
    this.#apply(step);
    this.#work();
  }

  /** The node cannot go on with it. */
  fail(failure: TaskFailure): void {
    this.#conclude({ kind: "failed", failure });
  }

  /** SIGTERM, and SIGKILL after the grace; no grace: SIGKILL at once. */
  kill(graceMs: number): void {
    if (this.#ended) return;
    this.#killed = true;
    clearTimeout(this.#killTimer);
    if (graceMs <= 0) {
      this.#program.kill("SIGKILL");
      return;
    }
    this.#program.kill("SIGTERM");
    this.#killTimer = setTimeout(() => this.#program.kill("SIGKILL"), graceMs);
    this.#killTimer.unref();
  }

  #read(stream: 1 | 2, bytes: Buffer): void {
    if (this.#outcome !== null || this.#killed) return;
    this.#heardAt = performance.now();
    if (this.#garbage !== null) {
      this.#addLastWords(bytes);
      return;
    }
    try {
      for (const frame of this.#readers[stream].push(bytes)) this.#backlog.push(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#garbage = error;
      this.#addLastWords(error.received);
    }
    this.#work();
  }

  /**
   * Handles what has come, as far as it may be handled: a few bytes may ask a thousand times for all inputs, so that the rest waits when
   * too much lies unread.
   */
  #work(): void {
    if (this.#outcome !== null || this.#ended) return;
    const backlog = this.#backlog;
    let next = 0;
    const mayHandle = (): boolean =>
      next < backlog.length && this.#outcome === null && !this.#session.holdsBack && this.#room > 0;
    while (mayHandle()) {
      const answers: Uint8Array[] = [];
      let room = this.#room;
      while (mayHandle() && room > 0) {
        const frame = backlog[next++] as Frame;
        const answer = this.#program.isDeaf && questions.has(frame.name) ? null : this.#handle(frame);
        if (answer === null) continue;
        answers.push(answer);
        room -= answer.length;
      }
      if (answers.length > 0)
        this.#program.write(answers.length === 1 ? (answers[0] as Buffer) : Buffer.concat(answers));
    }
    this.#backlog = next === backlog.length ? [] : backlog.slice(next);
    this.#flow();
  }

  /** Bytes of answers that may still lie unread. */
  get #room(): number {
    return this.#program.isDeaf ? Number.POSITIVE_INFINITY : this.#limits.unreadBytesMax - this.#program.unreadBytes;
  }

  #handle(frame: Frame): Uint8Array | null {
    try {
      return this.#answer(this.#session.receive(readWorkerMessage(frame)));
    } catch (error) {
      // Whatever a worker sends, the node goes on: other jobs run here.
      if (error instanceof MessageError) this.#finish({ kind: "violation", text: error.message });
      else this.fail(nodeFailure(error));
      return null;
    }
  }

  #apply(step: SessionStep): void {
    const answer = this.#answer(step);
    if (answer !== null) this.#program.write(answer);
  }

  #answer(step: SessionStep): Uint8Array | null {
    switch (step.kind) {
      case "answer":
        return encoded(step.message);
      case "said":
        this.#options.said(step.text);
        return encoded(step.message);
      case "wait":
        return null;
      case "check":
        void this.#check(step.output);
        return null;
      case "end":
        this.#finish(step.end);
        return null;
    }
  }

  async #check(output: StageOutput): Promise<void> {
    const lost = await this.#options.isLost(output).catch(() => false);
    if (this.#outcome !== null || this.#ended) return;
    this.#apply(this.#session.checked(lost));
    this.#work();
  }

  /** Reads on or stops reading, and sets the timer that belongs to what it waits for. */
  #flow(): void {
    if (this.#outcome !== null || this.#ended) return;
    const held = this.#session.holdsBack;
    if (this.#garbage !== null && !held) {
      this.#program.resume();
      this.#watch("last-words");
      if (this.#lastWordsBytes >= this.#limits.lastWordsBytesMax) this.#failForGarbage();
      return;
    }
    const unread = this.#room <= 0;
    if (held || unread) this.#program.pause();
    else this.#program.resume();
    if (unread) this.#watch("unread");
    else if (held) this.#watch(null);
    else if (!this.#session.isAnnounced) this.#watch("announce");
    else this.#watch(this.#readers[1].isInside || this.#readers[2].isInside ? "message" : null);
  }

  #addLastWords(bytes: Buffer): void {
    const room = this.#limits.lastWordsBytesMax - this.#lastWordsBytes;
    if (room > 0) this.#lastWords.push(Buffer.from(bytes.subarray(0, room)));
    this.#lastWordsBytes += bytes.length;
    if (this.#lastWordsBytes >= this.#limits.lastWordsBytesMax) this.#flow();
  }

  /** What it wrote last that is no message, or not a whole one. */
  get #words(): string {
    if (this.#garbage !== null) return Buffer.concat(this.#lastWords).toString();
    const rest = [this.#readers[1], this.#readers[2]].map((reader) => reader.rest.toString("utf8", 0, 2_000));
    return rest.join("");
  }

  #failForGarbage(): void {
    if (this.#garbage !== null) this.fail(garbageFailure(this.#garbage.message, this.#words));
  }

  #watchMemory(pid: number): void {
    const { memoryLimitBytes: limitBytes } = this.#options;
    const over = (): void => this.fail(memoryFailure(limitBytes));
    this.#memory = new MemoryWatch({ pid, limitBytes, everyMs: this.#limits.memoryMs, over });
  }

  #watch(what: SlowWorker | "last-words" | null): void {
    if (what === this.#timerOf) {
      // The others are counted from their beginning.
      if (what === "message") this.#timer?.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerOf = what;
    if (what === null) return;
    this.#timer = setTimeout(() => this.#late(what), this.#limits[`${what === "last-words" ? "lastWords" : what}Ms`]);
    this.#timer.unref();
  }

  #late(what: SlowWorker | "last-words"): void {
    if (what === "last-words") this.#failForGarbage();
    else this.fail(slowFailure(what, this.#limits[`${what}Ms`], this.#words));
  }

  #finish(end: SessionEnd): void {
    this.#memory?.stop();
    this.#conclude({ kind: "session", end, peakBytes: this.#memory?.peakBytes ?? 0 });
  }

  /** The rest is to end the program. */
  #conclude(outcome: AttemptEnd): void {
    if (this.#outcome !== null || this.#ended) return;
    this.#outcome = outcome;
    this.#watch(null);
    this.#backlog = [];
    this.#program.kill("SIGKILL");
    this.#program.resume();
  }

  #programEnded(program: ProgramEnd): void {
    // What it said before it ended counts, also what waited for it to read.
    if (!this.#killed) this.#work();
    if (this.#garbage !== null && !this.#killed) this.#failForGarbage();
    const failure = program.error === null ? exitFailure(program, this.#words) : startFailure(program.error);
    const outcome = this.#outcome ?? { kind: "failed", failure };
    this.#ended = true;
    this.#watch(null);
    clearTimeout(this.#killTimer);
    this.#memory?.stop();
    this.#options.ended(this.#killed ? { kind: "killed", program } : outcome);
  }
}

function encoded({ kind, body }: MasterMessage): Uint8Array {
  return kind === "OK" && body === "ok" ? okFrame : encodeFrame(kind, body);
}
