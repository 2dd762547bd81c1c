/** What a request brings: query parameters and JSON bodies, checked. */
import { BadRequest, type HttpRequest } from "./route.ts";

/** Everything but job packs is small. */
const jsonBytesMax = 16 * 1024 * 1024;

type Query = Pick<HttpRequest, "query" | "path">;

export function queryParameter({ query, path }: Query, name: string): string {
  const value = query.get(name);
  if (value === null || value === "") throw new BadRequest(`${path} needs the query parameter ${name}`);
  return value;
}

export function numberParameter({ query }: Query, name: string, fallback: number, max: number): number {
  const value = query.get(name);
  if (value === null || value === "") return fallback;
  if (!/^\d{1,15}$/.test(value)) throw new BadRequest(`${name} is a whole number, '${value}' received`);
  return Math.min(Number(value), max);
}

export function jsonBody({ body }: HttpRequest): unknown {
  if (body.byteLength > jsonBytesMax) throw new BadRequest(`a body of at most ${jsonBytesMax} bytes expected`, 413);
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  } catch {
    throw new BadRequest("a JSON body expected");
  }
}

export function stringBody(request: HttpRequest): string {
  const value = jsonBody(request);
  if (typeof value !== "string") throw new BadRequest(`string expected, '${brief(value)}' received`);
  return value;
}

/** Names are checked by what they may have, before anything is looked up by them. */
const jobNamePattern = /^[a-zA-Z0-9_@:]{1,200}$/;
const nodeNamePattern = /^[A-Za-z0-9._-]{1,255}$/;

/** The query parameter `name`. */
export function jobName(request: Query): string {
  return checkedJobName(queryParameter(request, "name"));
}

/** A body that is the name of a job, as JSON. */
export function jobNameBody(request: HttpRequest): string {
  return checkedJobName(stringBody(request));
}

/** A body that is the name of a node, as JSON. */
export function nodeNameBody(request: HttpRequest): string {
  const name = stringBody(request);
  if (nodeNamePattern.test(name)) return name;
  throw new BadRequest(`the name of a node has 1 to 255 of A-Z a-z 0-9 . _ -, '${brief(name)}' received`);
}

export function checkedJobName(name: string): string {
  if (jobNamePattern.test(name)) return name;
  throw new BadRequest(`the name of a job has 1 to 200 of a-z A-Z 0-9 _ @ :, '${brief(name)}' received`);
}

/** A value as part of an error's text: short, and with nothing in it that acts on a terminal. */
export function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
