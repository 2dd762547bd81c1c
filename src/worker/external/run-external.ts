/**
 * Runs a task whose function is an external program. The seed's worker sends an entry, waits for its result list and sends the next one;
 * that is two system calls and two switches a record. Here entries are sent by the chunk, while result lists are taken
 * as they come: a program that reads ahead gets thousands at once, and one that answers entry by entry finds the next ones in its
 * pipe. As lists come in the order of the entries, nothing has to be remembered of an entry that was sent.
 *
 * E1. A map gives exactly one list for each entry; a reduce gives lists when it likes.
 * E2. A task is good when the program has read all input and exited with 0. A map that has answered everything and does not exit within
 *     a grace is killed, and good.
 * E3. What is written depends on the program's lists only, not on how chunks were cut: buffers are emptied at ends of lists.
 */
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import type { ExternalPlan } from "../../protocol/job-data.ts";
import type { Emit } from "../emit.ts";
import type { Progress } from "../progress.ts";
import { Records } from "../storage/batch.ts";
import { nextRecords } from "../streams/batches.ts";
import { isIterable, type Stream } from "../streams/stream.ts";
import { ListDecoder } from "./decoder.ts";
import { PairEncoder } from "./encoder.ts";
import { type Answers, ExternalFaults } from "./faults.ts";
import { ExternalProgram, type ProgramEnd } from "./program.ts";

/** After so many chunks the event loop turns once, also where the program takes each at once: timers and logs want to be seen. */
const chunksPerTurn = 16;
/** A map that has answered all entries may take so long to exit. */
const exitGraceMs = 3_000;
/** One that closed its input or output gets so long to exit, which tells more. */
const closedGraceMs = 2_000;

export interface ExternalRun {
  readonly plan: ExternalPlan;
  readonly kind: "map" | "reduce";
  /** Where the program and its files lie: its working directory. */
  readonly directory: string;
  readonly emit: Emit;
  /** Empties buffers: called when so much output came that it would hold too much text. */
  readonly spill: () => void;
  readonly spillBytes: number;
  readonly progress: Progress;
  /** Shows a line: what the program logs, and what else it writes to stderr. */
  readonly print: (level: "message" | "warning", line: string) => void;
  readonly recordBytesMax: number;
  readonly memoryLimitBytes: number;
}

/** Throws `DiscoError` `external-*`, `bad-record`, `record-too-large`, `out-of-memory`, and what the input throws. */
export async function runExternal(stream: Stream<unknown>, run: ExternalRun): Promise<void> {
  const task = new ExternalTask(run);
  await task.run(stream);
}

class ExternalTask {
  readonly #run: ExternalRun;
  readonly #faults: ExternalFaults;
  readonly #encoder: PairEncoder;
  readonly #decoder: ListDecoder;
  /** Entries that were encoded. */
  #entries = 0;
  #isFed = false;
  #lists = 0;
  #chunks = 0;
  #seen: number | undefined;
  #nextStatus: number;
  #bytesToSpill: number;
  #allAnswered = Promise.withResolvers<void>();

  constructor(run: ExternalRun) {
    const { plan, emit, progress, recordBytesMax, spillBytes } = run;
    this.#run = run;
    this.#faults = new ExternalFaults(`${run.kind} (${plan.program})`);
    this.#encoder = new PairEncoder(recordBytesMax);
    this.#seen = progress.beat[0];
    this.#nextStatus = progress.nextStatus(0);
    this.#bytesToSpill = spillBytes;
    const sink = {
      pair: (key: unknown, value: unknown): void => {
        progress.recordsOut++;
        emit(key, value);
      },
      list: (bytes: number): void => this.#answered(bytes),
    };
    this.#decoder = new ListDecoder(sink, { keys: plan.keys, values: plan.values, recordBytesMax });
  }

  async run(stream: Stream<unknown>): Promise<void> {
    const program = await this.#start();
    try {
      const fed = this.#feed(stream, program);
      // Whoever is waited for, a fault ends the waiting.
      fed.catch(() => {});
      await Promise.race([fed, program.fault]);
      await Promise.race([this.#finish(program, await fed), program.fault]);
    } finally {
      program.close();
    }
  }

  async #start(): Promise<ExternalProgram> {
    const { plan, kind, directory, memoryLimitBytes, print } = this.#run;
    let program: ExternalProgram | null = null;
    const log = {
      message: (text: string) => print("message", text),
      other: (line: string) => print("warning", line),
      failed: (how: "fatal" | "data", text: string) => program?.fail(this.#faults.said(how, text)),
    };
    try {
      program = await ExternalProgram.start({
        file: join(directory, plan.program),
        args: [kind],
        directory,
        memoryLimitBytes,
        output: (chunk) => this.#take(chunk),
        log,
      });
    } catch (error) {
      throw this.#faults.start(error);
    }
    program.onMemory = (bytes) => program?.fail(this.#faults.tooMuchMemory(bytes, memoryLimitBytes));
    return program;
  }

  /** Sends everything; `false`: the program did not take it. */
  async #feed(stream: Stream<unknown>, program: ExternalProgram): Promise<boolean> {
    if (!(await program.write(this.#run.plan.params))) return false;
    if (stream instanceof Records) {
      for (let batch = stream.nextBatch(); batch !== null; batch = stream.nextBatch()) {
        const { keys, values, n } = batch;
        for (let i = 0; i < n; i++) {
          this.#encoder.add(keys[i], values[i]);
          this.#entries++;
          if (this.#encoder.isFull && !(await this.#send(program))) return false;
        }
      }
    } else if (isIterable(stream)) {
      const entries = stream[Symbol.iterator]();
      for (let batch = nextRecords(entries); batch !== null; batch = nextRecords(entries)) {
        for (let i = 0; i < batch.length; i++) {
          this.#add(batch[i]);
          if (this.#encoder.isFull && !(await this.#send(program))) return false;
        }
      }
    } else {
      for await (const entry of stream) {
        this.#add(entry);
        if (this.#encoder.isFull && !(await this.#send(program))) return false;
      }
    }
    if (!this.#encoder.isEmpty && !(await this.#send(program))) return false;
    this.#isFed = true;
    if (this.#lists === this.#entries) this.#allAnswered.resolve();
    return program.endInput();
  }

  /** A pair is one; any other entry is a value without a key. */
  #add(entry: unknown): void {
    if (Array.isArray(entry) && entry.length === 2) this.#encoder.add(entry[0], entry[1]);
    else this.#encoder.add("", entry);
    this.#entries++;
  }

  async #send(program: ExternalProgram): Promise<boolean> {
    this.#report();
    if (++this.#chunks % chunksPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    return program.write(this.#encoder.take());
  }

  #take(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      throw error instanceof DiscoError && codecErrors.has(error.code) ? this.#faults.protocol(error) : error;
    }
    this.#report();
  }

  /** A list is complete. */
  #answered(bytes: number): void {
    const { kind, progress, spill, spillBytes } = this.#run;
    this.#lists++;
    if (kind === "map") {
      if (this.#lists > this.#entries) throw this.#faults.tooManyLists(this.#entries);
      if (this.#lists === this.#nextStatus) {
        progress.status(this.#lists);
        this.#nextStatus = progress.nextStatus(this.#lists);
      }
      if (this.#isFed && this.#lists === this.#entries) this.#allAnswered.resolve();
    }
    this.#bytesToSpill -= bytes;
    if (this.#bytesToSpill > 0) return;
    this.#bytesToSpill = spillBytes;
    spill();
  }

  /** Either what it reads or what it writes is progress. */
  #report(): void {
    const { kind, progress } = this.#run;
    if (kind === "map") progress.recordsIn = this.#entries;
    if (progress.beat[0] === this.#seen) return;
    this.#seen = progress.beat[0];
    progress.report(progress.recordsIn);
  }

  async #finish(program: ExternalProgram, tookAll: boolean): Promise<void> {
    const { kind, progress } = this.#run;
    if (kind === "map") progress.recordsIn = this.#entries;
    const end = await this.#end(program, tookAll);
    const failure = end === null ? null : this.#faults.end(end, this.#answers(tookAll), program.lastWords);
    if (failure !== null) throw failure;
  }

  /** `null`: it was killed, and that is fine. */
  async #end(program: ExternalProgram, tookAll: boolean): Promise<ProgramEnd | null> {
    const { kind } = this.#run;
    if (!tookAll) {
      const end = await within(closedGraceMs, program.ended);
      if (end === null) throw this.#faults.deaf(this.#lists);
      return end;
    }
    if (kind === "reduce") return program.ended;
    const early = await Promise.race([program.ended, this.#allAnswered.promise, program.outputEnded]);
    if (early !== undefined) return early;
    if (this.#lists === this.#entries) return within(exitGraceMs, program.ended);
    const end = await within(closedGraceMs, program.ended);
    if (end === null) throw this.#faults.mute(this.#lists);
    return end;
  }

  #answers(tookAll: boolean): Answers {
    return {
      tookAll,
      kind: this.#run.kind,
      lists: this.#lists,
      entries: this.#isFed ? this.#entries : null,
      unfinished: this.#decoder.unfinished,
      copies: this.#decoder.copies,
    };
  }
}

/** Errors of the codec, which does not know whose bytes it reads. */
const codecErrors: ReadonlySet<string> = new Set(["external-protocol", "external-text", "record-too-large"]);

/** What `promise` gives within `ms`, else `null`. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
