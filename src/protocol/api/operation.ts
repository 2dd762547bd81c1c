/**
 * An operation of the JSON API as a value: what the server checks requests with, what the client asks and reads answers
 * with, and what the OpenAPI document is generated from are one and the same.
 */
import type { BaseIssue, BaseSchema, InferOutput, ObjectEntries, StrictObjectSchema } from "valibot";

/** What a token has to allow. Each includes those before it. */
export type Scope = "read" | "submit" | "admin";

export type AnySchema = BaseSchema<unknown, unknown, BaseIssue<unknown>>;
export type Parameters = StrictObjectSchema<ObjectEntries, undefined>;

export type Body =
  | { readonly kind: "json"; readonly schema: AnySchema; readonly optional?: boolean }
  /** Bytes of any number up to the server's limit for job packs, streamed. */
  | { readonly kind: "bytes" };

export type Answer =
  | { readonly kind: "json"; readonly status: 200 | 201; readonly schema: AnySchema }
  | { readonly kind: "nothing" }
  | { readonly kind: "bytes" }
  /** Server-sent events whose `data` is this; as an alternative, lines of JSON where `line` is given. */
  | { readonly kind: "stream"; readonly data: AnySchema; readonly line?: AnySchema };

export interface Operation {
  /** In camel case; unique. */
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** Below `/api/v1`, with parameters in braces: `/jobs/{name}`. */
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly details?: string;
  /** One entry for each parameter of the path. */
  readonly params: Parameters;
  readonly query: Parameters;
  readonly headers?: Parameters;
  readonly body?: Body;
  readonly answer: Answer;
  /** Codes of errors that are the operation's own, by status, for the document. */
  readonly errors?: Readonly<Partial<Record<400 | 403 | 404 | 409 | 413 | 507, readonly string[]>>>;
}

/** The types of its parts are kept: `operation` is the identity. */
export function operation<const T extends Operation>(given: T): T {
  return given;
}

export type ParamsOf<O extends Operation> = InferOutput<O["params"]>;
export type QueryOf<O extends Operation> = InferOutput<O["query"]>;
export type BodyOf<O extends Operation> = O["body"] extends { kind: "json"; schema: infer S extends AnySchema }
  ? InferOutput<S>
  : undefined;
export type AnswerOf<O extends Operation> = O["answer"] extends { kind: "json"; schema: infer S extends AnySchema }
  ? InferOutput<S>
  : undefined;

/** Where the API lies on a server. */
export const apiBase = "/api/v1";
