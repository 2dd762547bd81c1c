/**
 * The CPU profile of one task, from before its functions are loaded until its output is written. Loaded only for jobs with
 * `profile: true`.
 */
import { CallFrames, type ProfiledCode } from "./call-frames.ts";
import { CallTree } from "./call-tree.ts";
import { foldRecording } from "./fold.ts";
import { recorder, samplingIntervalMicros } from "./recorder.ts";
import { encodeProfile, type TaskProfileInfo, taskNodesMax } from "./stored-profile.ts";

/**
 * So often a recording is folded into the tree: V8 keeps its samples, 32 bytes each. A task that neither takes records nor waits
 * does not come to this; an hour of one call costs about 100 MB.
 */
const cutMsDefault = 10_000;

export class TaskProfile {
  readonly #tree = new CallTree(taskNodesMax);
  readonly #timer: NodeJS.Timeout;
  #frames: CallFrames | null = null;
  readonly #cutMs: number;
  #cutAt = performance.now();

  /** Begins to record. */
  constructor(cutMs = cutMsDefault) {
    this.#cutMs = cutMs;
    recorder.begin();
    this.#timer = setInterval(() => this.beat(), cutMs).unref();
  }

  /** From now on frames can be translated. */
  loaded(code: ProfiledCode): void {
    this.#frames = new CallFrames(code);
  }

  /** To be called now and then while the task runs. */
  beat(): void {
    if (this.#frames === null || performance.now() - this.#cutAt < this.#cutMs) return;
    const recording = recorder.cut();
    if (recording !== null) foldRecording(recording, this.#frames, this.#tree);
    this.#cutAt = performance.now();
  }

  /** Ends the recording and returns the out-of-band value. After `loaded`. */
  finish(info: Omit<TaskProfileInfo, "intervalMicros">): Uint8Array {
    clearInterval(this.#timer);
    const recording = recorder.end();
    if (recording !== null && this.#frames !== null) foldRecording(recording, this.#frames, this.#tree);
    return encodeProfile(this.#tree, { ...info, intervalMicros: samplingIntervalMicros });
  }

  /** Ends the recording where `finish` has not, and forgets it. */
  stop(): void {
    clearInterval(this.#timer);
    recorder.end();
  }
}
