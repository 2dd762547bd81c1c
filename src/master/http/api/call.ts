/** One request of an operation, as its handler sees it: everything checked, typed by the operation. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnswerOf, BodyOf, Operation, ParamsOf, QueryOf } from "../../../protocol/api/operation.ts";
import type { ServedMaster } from "../../served-master.ts";

export interface ApiOptions {
  /** Bytes of one job pack. */
  readonly packBytesMax: number;
  /** Told of errors that nobody expected; the client hears only that there was one. */
  readonly onError?: (error: unknown, request: IncomingMessage) => void;
  /** Between two comments in a stream that is quiet. Default: 15,000. */
  readonly heartbeatMs?: number;
}

export interface Call<O extends Operation> {
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  /** Those that the operation names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: BodyOf<O>;
  readonly master: ServedMaster;
  readonly options: ApiOptions;
  /** Aborted when the client is gone, or the server closes. */
  readonly signal: AbortSignal;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Served {
  readonly operation: Operation;
  readonly run: (call: Call<Operation>) => Promise<unknown>;
}

/** An operation with what answers it. Streams and files have been written when `run` returns. */
export function serve<O extends Operation>(
  operation: O,
  run: (call: Call<O>) => Promise<O["answer"]["kind"] extends "json" ? DeepReadonly<AnswerOf<O>> : void>,
): Served {
  return { operation, run: run as unknown as Served["run"] };
}

/** The master's types are read-only, those of schemas are not. */
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
