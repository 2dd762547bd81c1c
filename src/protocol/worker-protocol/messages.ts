/**
 * Messages of Disco's worker protocol 1.1: what a worker sends, and what it is answered (`worker_runtime.erl` of Disco 0.5.4,
 * `doc/howto/worker.rst`). Bodies come from programs of anybody's: nothing is taken on trust.
 */
import type { Grouping } from "../../core/job/spec.ts";
import type { Frame } from "./frames.ts";

export const workerProtocolVersion = "1.1";

export type WorkerMessage =
  /** The first that a worker sends. */
  | { readonly kind: "WORKER"; readonly pid: number; readonly version: string }
  | { readonly kind: "TASK" }
  /** All inputs; those of the ids; or all but those. */
  | { readonly kind: "INPUT"; readonly select: "all" | "include" | "exclude"; readonly ids: readonly number[] }
  /** Replicas of an input that cannot be read. */
  | { readonly kind: "INPUT_ERR"; readonly input: number; readonly replicas: readonly number[] }
  | { readonly kind: "MSG"; readonly text: string }
  /** `location`: a path below the job home, or an address. */
  | { readonly kind: "OUTPUT"; readonly label: number; readonly location: string; readonly size: number }
  | { readonly kind: "PING" }
  | { readonly kind: "DONE" }
  /** The task is to be tried again. */
  | { readonly kind: "ERROR"; readonly text: string }
  /** The job is to end. */
  | { readonly kind: "FATAL"; readonly text: string };

/** Answer to TASK. */
export interface TaskBody {
  readonly taskid: number;
  /** `http://HOST:PORT`. */
  readonly master: string;
  readonly disco_port: number;
  readonly put_port: number;
  /** Absolute paths: `disco://HOST/ddfs/X` of the worker's own host is `ddfs_data/X`, `disco://HOST/disco/X` is `disco_data/X`. */
  readonly ddfs_data: string;
  readonly disco_data: string;
  readonly stage: string;
  readonly grouping: Grouping;
  /** The host is empty where the grouping gives none. */
  readonly group: readonly [label: number, host: string];
  /** Absolute path of the job pack. */
  readonly jobfile: string;
  readonly jobname: string;
  readonly host: string;
}

/** One input in an answer to INPUT. */
export type InputEntry = readonly [
  id: number,
  status: "ok" | "busy" | "failed",
  /** `all`: the worker reads every label of the index. */
  label: number | "all",
  replicas: readonly (readonly [id: number, url: string])[],
];

export type MasterMessage =
  | { readonly kind: "OK"; readonly body: "ok" | "pong" }
  | { readonly kind: "TASK"; readonly body: TaskBody }
  /** `more`: others may come; ask again with those that are known excluded. */
  | { readonly kind: "INPUT"; readonly body: readonly ["done" | "more", readonly InputEntry[]] }
  /** Read these replicas instead. */
  | { readonly kind: "RETRY"; readonly body: readonly (readonly [id: number, url: string])[] }
  /** Ask again after so many seconds. */
  | { readonly kind: "WAIT"; readonly body: number }
  | { readonly kind: "FAIL"; readonly body: "" };

/** Inputs that a message may name: as many as a job has. */
export const idsMax = 1_000_000;
/** Of labels and sizes: what an index of outputs has room for. */
const indexNumberMax = 999_999_999_999_999;
/** Bytes of a body that is no string: a list of so many ids fits in. */
const valueBytesMax = 16 * 1024 * 1024;
const textMessages: ReadonlySet<string> = new Set(["MSG", "ERROR", "FATAL"]);
const quote = 0x22;
/** That JSON may begin with. */
const blanks: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n"));
/** Bytes that are shown of a body that is wrong. */
const shownBytes = 200;

/** What came is a frame and no message of the protocol. */
export class MessageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MessageError";
  }
}

/** @throws MessageError naming the message and what is wrong with its body */
export function readWorkerMessage({ name, body }: Frame): WorkerMessage {
  const value = parse(name, body);
  switch (name) {
    case "WORKER": {
      const { pid, version } = isRecord(value) ? value : {};
      if (!isInteger(pid, 1) || typeof version !== "string")
        throw wrong(name, '{"pid": number, "version": "1.1"}', body);
      return { kind: name, pid, version };
    }
    case "TASK":
    case "PING":
    case "DONE":
      // What they carry says nothing; Disco's own workers send "".
      return { kind: name };
    case "INPUT":
      return readInput(value, body);
    case "INPUT_ERR": {
      const [input, replicas] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
      if (!isInteger(input, 0) || !areIds(replicas)) throw wrong(name, "[input, [replica, …]]", body);
      return { kind: name, input, replicas };
    }
    case "MSG":
    case "ERROR":
    case "FATAL":
      if (typeof value !== "string") throw wrong(name, "a string", body);
      return { kind: name, text: value };
    case "OUTPUT": {
      const [label, location, size] = Array.isArray(value) && value.length === 3 ? (value as unknown[]) : [];
      if (!isIndexNumber(label) || typeof location !== "string" || location === "" || !isIndexNumber(size))
        throw wrong(name, "[label, path or address, size]", body);
      return { kind: name, label, location, size };
    }
    default:
      throw new MessageError(`Unknown message type '${name}', body:\n${body.toString("utf8", 0, 1_000)}`);
  }
}

function readInput(value: unknown, body: Buffer): WorkerMessage {
  if (value === "") return { kind: "INPUT", select: "all", ids: [] };
  const [select, ids] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  if ((select !== "include" && select !== "exclude") || !areIds(ids))
    throw wrong("INPUT", '"", ["include", [id, …]] or ["exclude", [id, …]]', body);
  return { kind: "INPUT", select, ids };
}

/** What a value takes in memory may be twenty times its JSON, but for a string: only that may be long. */
function parse(name: string, body: Buffer): unknown {
  if (textMessages.has(name)) {
    const first = body.find((byte) => !blanks.has(byte));
    if (first !== undefined && first !== quote) throw wrong(name, "a string", body);
  } else if (body.length > valueBytesMax) {
    throw new MessageError(
      `Invalid message body (type '${name}'): it has ${body.length} bytes of at most ${valueBytesMax}`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new MessageError(`Payload is not valid JSON: type '${name}', body:\n${body.toString("utf8", 0, 1_000)}`);
  }
}

/** The body as it came: its value may be nested so deeply that it cannot be written again. */
function wrong(name: string, expected: string, body: Buffer): MessageError {
  const received = body.toString("utf8", 0, shownBytes);
  return new MessageError(`Invalid message body (type '${name}'): ${expected} expected, ${received} received`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

function isIndexNumber(value: unknown): value is number {
  return isInteger(value, 0) && value <= indexNumberMax;
}

function areIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= idsMax && value.every((id) => isInteger(id, 0));
}
