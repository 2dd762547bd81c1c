/** What a request brings: query parameters and JSON bodies, checked. */
import { BadRequest, type HttpRequest } from "./route.ts";

/** Everything but job packs is small. */
const jsonBytesMax = 16 * 1024 * 1024;

export function queryParameter({ query, path }: HttpRequest, name: string): string {
  const value = query.get(name);
  if (value === null || value === "") throw new BadRequest(`${path} needs the query parameter ${name}`);
  return value;
}

export function numberParameter({ query }: HttpRequest, name: string, fallback: number, max: number): number {
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

export function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}
