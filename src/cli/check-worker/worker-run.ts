/**
 * One run of a worker that is being checked: the program is started as a node starts it, and spoken to as a node speaks to it, in a
 * situation that the check has made. What was said, and how it ended, is the check's to judge.
 *
 * Unlike a node, it reads standard output and standard error apart, so that it can say on which of them something came that is no message.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setImmediate as immediate, setTimeout as passed } from "node:timers/promises";
import { encodeFrame, FrameError, FrameReader } from "../../protocol/worker-protocol/frames.ts";
import {
  type MasterMessage,
  MessageError,
  readWorkerMessage,
  type WorkerMessage,
} from "../../protocol/worker-protocol/messages.ts";
import { type ClaimedOutput, Master, type Situation } from "./situation.ts";

export interface Program {
  /** Absolute path of the executable. */
  readonly path: string;
  /** The job home. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A message of either side, in the order in which they were sent. */
export interface Spoken {
  readonly by: "worker" | "master";
  readonly frame: Buffer;
}

export type RunEnd =
  | { readonly kind: "DONE"; readonly outputs: readonly ClaimedOutput[] }
  | { readonly kind: "ERROR" | "FATAL"; readonly text: string }
  /** Messages that the node does not accept. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It ended without a last word. */
  | { readonly kind: "exited"; readonly how: string; readonly lastWords: string }
  | {
      readonly kind: "no-message";
      readonly stream: "stdout" | "stderr";
      readonly reason: string;
      readonly received: string;
    }
  /** Nothing came for as long as the node waits. */
  | { readonly kind: "silent"; readonly ms: number; readonly unfinished: string }
  /** It speaks and speaks, and comes to no end. */
  | { readonly kind: "endless"; readonly ms: number }
  | { readonly kind: "not-started"; readonly reason: string };

export interface Run {
  readonly pid: number;
  /** Whether the process that it announced is of its group; `null`: it announced none, or this system does not tell. */
  readonly announcedItself: boolean | null;
  readonly messages: readonly WorkerMessage[];
  readonly spoken: readonly Spoken[];
  readonly end: RunEnd;
  /** What it did after DONE, ERROR or FATAL, while it was watched: nothing, as it should. */
  readonly afterEnd: string | null;
}

export interface RunLimits {
  /** How long a worker may say nothing before it is given up (a node: 30 s to its first message). */
  readonly silenceMsMax: number;
  /** How long a run may last in all. */
  readonly runMsMax: number;
}

/** How long a worker that has said its last word is watched. */
const watchMs = 300;
/** Of answers that come byte by byte. */
const coalescedBytes = 16;
const lastWordsCharsMax = 1_000;

export async function runWorker(program: Program, situation: Situation, limits: RunLimits): Promise<Run> {
  const child = spawn(program.path, {
    cwd: program.cwd,
    env: program.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const kill = (): void => killGroup(child);
  process.once("exit", kill);
  try {
    return await new Conversation(child, situation, limits).hold();
  } finally {
    kill();
    process.off("exit", kill);
  }
}

class Conversation {
  readonly #child: ChildProcess;
  readonly #situation: Situation;
  readonly #limits: RunLimits;
  readonly #master: Master;
  readonly #messages: WorkerMessage[] = [];
  readonly #spoken: Spoken[] = [];
  readonly #readers = { stdout: new FrameReader(), stderr: new FrameReader() };
  readonly #ended = Promise.withResolvers<RunEnd>();
  #lastWords = "";
  #isOver = false;
  #isGone = false;
  #announcedItself: boolean | null = null;
  #silence: NodeJS.Timeout | undefined;
  /** Answers go out in order, however long one takes. */
  #sending: Promise<void> = Promise.resolve();

  constructor(child: ChildProcess, situation: Situation, limits: RunLimits) {
    this.#child = child;
    this.#situation = situation;
    this.#master = new Master(situation);
    this.#limits = limits;
  }

  async hold(): Promise<Run> {
    const child = this.#child;
    child.once("error", (error) => this.#end({ kind: "not-started", reason: error.message }));
    child.once("close", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      this.#end({ kind: "exited", how, lastWords: this.#lastWords });
    });
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.on("data", (bytes: Buffer) => this.#received(name, bytes));
    // Whoever does not read what it is told has ended, or is about to.
    child.stdin?.on("error", () => undefined);
    this.#waitAgain();
    const ms = this.#limits.runMsMax;
    const whole = setTimeout(() => this.#end({ kind: "endless", ms }), ms);
    const end = await this.#ended.promise;
    clearTimeout(whole);
    clearTimeout(this.#silence);
    const afterEnd = await this.#watch(end);
    const [messages, spoken, announcedItself] = [this.#messages, this.#spoken, this.#announcedItself];
    return { pid: child.pid ?? 0, announcedItself, messages, spoken, end, afterEnd };
  }

  #received(stream: "stdout" | "stderr", bytes: Buffer): void {
    this.#lastWords = (this.#lastWords + bytes.toString("utf8")).slice(-lastWordsCharsMax);
    // A node that is gone hears nothing.
    if (this.#isOver || this.#isGone) return;
    this.#waitAgain();
    try {
      for (const frame of this.#readers[stream].push(bytes)) {
        const { name, body } = frame;
        this.#spoken.push({
          by: "worker",
          frame: Buffer.concat([Buffer.from(`${name} ${body.length} `), body, Buffer.from("\n")]),
        });
        this.#heard(readWorkerMessage(frame));
        if (this.#isOver || this.#isGone) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof MessageError)) throw error;
      const received = error instanceof FrameError ? error.received.toString("utf8", 0, lastWordsCharsMax) : "";
      this.#end({ kind: "no-message", stream, reason: error.message, received });
    }
  }

  #heard(message: WorkerMessage): void {
    this.#messages.push(message);
    if (message.kind === "WORKER") this.#announcedItself = isInGroup(message.pid, this.#child.pid);
    if (this.#situation.goneAt === message.kind) {
      this.#isGone = true;
      this.#child.stdin?.end();
      return;
    }
    const said = this.#master.receive(message);
    switch (said.kind) {
      case "done":
        this.#end({ kind: "DONE", outputs: said.outputs });
        break;
      case "fatal":
        this.#end({ kind: "FATAL", text: said.text });
        break;
      case "error":
      case "violation": {
        const { text } = said;
        this.#end(message.kind === "ERROR" ? { kind: "ERROR", text } : { kind: "refused", reason: text });
        break;
      }
      default:
        this.#sending = this.#sending.then(() => this.#send(said));
    }
  }

  async #send({ kind, body }: MasterMessage): Promise<void> {
    const { delivery, delayMs = 0 } = this.#situation;
    const frame = encodeFrame(kind, body);
    this.#spoken.push({ by: "master", frame });
    if (delayMs > 0) await passed(delayMs);
    if (delivery !== "single-bytes") {
      this.#write(frame);
      return;
    }
    let written = 0;
    for (const byte of frame) {
      this.#write(Buffer.of(byte));
      // Long enough for a worker that waits to have read it, now and then.
      if (++written % coalescedBytes === 0) await passed(1);
      else await immediate();
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#isOver && this.#child.stdin?.writable === true) this.#child.stdin.write(bytes);
    this.#waitAgain();
  }

  /** Whoever has said its last word waits to be killed: it neither ends nor says more. */
  async #watch({ kind }: RunEnd): Promise<string | null> {
    const watched = kind === "DONE" || kind === "ERROR" || kind === "FATAL";
    if (!watched || this.#situation.watched !== true) return null;
    const child = this.#child;
    // What came together with the last word.
    this.#lastWords = Buffer.concat([this.#readers.stderr.rest, this.#readers.stdout.rest]).toString();
    const closed = once(child, "close").then(
      ([code, signal]) => `it ended by itself (${signal ?? `exit code ${code}`})`,
    );
    const ended = await Promise.race([closed, passed(watchMs, null)]);
    if (ended !== null) return ended;
    return this.#lastWords === "" ? null : `it sent ${JSON.stringify(this.#lastWords)}`;
  }

  #waitAgain(): void {
    clearTimeout(this.#silence);
    if (this.#isOver) return;
    const ms = this.#limits.silenceMsMax;
    this.#silence = setTimeout(() => {
      const unfinished = Buffer.concat([this.#readers.stdout.rest, this.#readers.stderr.rest]);
      this.#end({ kind: "silent", ms, unfinished: unfinished.toString("utf8", 0, lastWordsCharsMax) });
    }, ms);
  }

  #end(end: RunEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended.resolve(end);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended, and so has whatever it started.
  }
}

/** The group is the process that was started, with whatever it started; `null` where the system does not say. */
function isInGroup(pid: number, group: number | undefined): boolean | null {
  if (pid === group) return true;
  if (process.platform !== "linux") return null;
  try {
    // `PID (NAME) STATE PARENT GROUP …`; the name may contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) === group;
  } catch {
    return false;
  }
}
