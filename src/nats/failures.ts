/** What JetStream refuses, by its own numbers, as Disco's errors. */
import { CommError, DiscoError } from "../errors.ts";

export interface ApiFault {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

const noMessage = 10037;
const noStream = 10059;
const wrongLastSequence = new Set([10071, 10164]);
/** Limits of stream, account and server; a disk that is full. */
const noRoom = new Set([10002, 10022, 10023, 10028, 10047, 10054, 10077, 10110, 10120, 10122]);
/** More replicas than servers; no server that has room for one. */
const noReplicas = new Set([10005, 10074]);
const notReady = new Set([10008, 10009, 10118]);
const notEnabled = new Set([10035, 10039, 10076]);

/** An answer of JetStream that says no: what was asked was not done. */
export class NatsFault extends DiscoError {
  /** JetStream's number of the error; 0: none. */
  readonly number: number;

  constructor(message: string, number: number, details: { code: string; hint?: string }) {
    super(message, details);
    this.number = number;
  }
}

export function apiError(fault: ApiFault, stream: string): DiscoError {
  const { err_code: number = 0, description = `status ${fault.code}` } = fault;
  if (noRoom.has(number) || /resource|maximum (?:bytes|messages)|no space/i.test(description)) {
    return new NatsFault(`the NATS engine has no room for stream ${stream}: ${description}`, number, {
      code: "disk-full",
      hint: "Free disk space on its servers, or raise the limits of the account and of JetStream (max_file_store).",
    });
  }
  if (notEnabled.has(number)) {
    return new NatsFault(`the NATS engine has no JetStream for this account: ${description}`, number, {
      code: "engine-without-jetstream",
      hint: "Start nats-server with -js or a jetstream block, and enable it for the account.",
    });
  }
  if (notReady.has(number) || (fault.code === 503 && !noReplicas.has(number))) {
    return new CommError(`the NATS engine is not ready: ${description}`, { code: "engine-not-ready" });
  }
  return new NatsFault(`the NATS engine refuses a request for stream ${stream}: ${description}`, number, {
    code: number === noStream ? "no-stream" : "engine-error",
  });
}

/** Nobody answered. */
export function requestError(cause: unknown, shown: string): CommError {
  return new CommError(`the NATS engine at ${shown} does not answer`, { code: "engine-unreachable", cause });
}

export function isNoMessage(error: unknown): boolean {
  return error instanceof NatsFault && error.number === noMessage;
}

export function isNoStream(error: unknown): boolean {
  return error instanceof NatsFault && error.number === noStream;
}

/** Another message is the stream's last one. */
export function isConflict(error: unknown): boolean {
  return error instanceof NatsFault && wrongLastSequence.has(error.number);
}

export function isNoReplicas(error: unknown): boolean {
  return error instanceof NatsFault && noReplicas.has(error.number);
}
