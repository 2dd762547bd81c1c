/**
 * What a request brings, checked against its operation before anything is done. Parameters arrive as text: where the schema
 * wants a number or a boolean, the text is read as one, strictly.
 */
import type { IncomingMessage } from "node:http";
import * as v from "valibot";
import { DiscoError } from "../../../errors.ts";
import type { AnySchema, Parameters } from "../../../protocol/api/operation.ts";

/** Everything but job packs is small. */
const jsonBytesMax = 4 * 1024 * 1024;
const shownCharsMax = 100;

/** Parameters by name. @throws DiscoError `bad-parameter`, or `code` */
export function checkParameters(
  schema: Parameters,
  given: Iterable<readonly [string, string]>,
  what: string,
  code = "bad-parameter",
): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, text] of given) {
    if (!(name in schema.entries)) {
      const known = Object.keys(schema.entries);
      throw new DiscoError(`there is no ${what} ${shown(name)}`, {
        code,
        hint: known.length === 0 ? `None is taken.` : `Known: ${known.join(", ")}.`,
      });
    }
    if (name in values) throw new DiscoError(`the ${what} ${name} is given twice`, { code });
    values[name] = typed(schema.entries[name] as AnySchema, text);
  }
  const result = v.safeParse(schema, { ...values }, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue) ?? "";
  throw new DiscoError(`the ${what} ${name} is wrong: ${issue.message}`, { code });
}

/** The text as the type that the schema wants; text that is none stays text, which the schema refuses. */
function typed(schema: AnySchema, text: string): unknown {
  switch (kindOf(schema)) {
    case "number":
      return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;
    default:
      return text;
  }
}

/** `number` for `exactOptional(pipe(number(), …))`. */
function kindOf(schema: AnySchema): string {
  const { wrapped, pipe } = schema as { wrapped?: AnySchema; pipe?: readonly AnySchema[] };
  if (wrapped !== undefined) return kindOf(wrapped);
  const [first] = pipe ?? [];
  return first === undefined || first === schema ? schema.type : kindOf(first);
}

/** @throws DiscoError `unsupported-media-type`, `too-large`, `bad-json`, `bad-body` */
export async function readJson(request: IncomingMessage, schema: AnySchema): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new DiscoError("a body of JSON was expected", {
      code: "unsupported-media-type",
      hint: "Send it with `Content-Type: application/json`.",
    });
  }
  const text = (await readBody(request, jsonBytesMax)).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DiscoError(`the body is no JSON: ${(cause as Error).message}`, { code: "bad-json", cause });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  throw new DiscoError(`the body is wrong${place === null ? "" : ` at ${place}`}: ${issue.message}`, {
    code: "bad-body",
  });
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = (): DiscoError =>
    new DiscoError(`the body is larger than ${bytesMax} bytes`, { code: "body-too-large" });
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The connection stays, for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function shown(text: string): string {
  return JSON.stringify(text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text);
}
