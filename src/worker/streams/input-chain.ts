/** Runs the chain of input streams over the bytes of one input. */
import { DiscoError } from "../../errors.ts";
import { describe } from "../describe.ts";
import { isThenable } from "../pairs.ts";
import { isAsyncIterable, isIterable, type Stream } from "./stream.ts";

export type AnyInputStream = (stream: unknown, size: number, url: string, params: unknown) => unknown;

export interface NamedInputStream {
  readonly name: string;
  readonly fn: AnyInputStream;
}

export interface ChainSource {
  readonly url: string;
  readonly size: number;
}

/** Throws `DiscoError` `bad-result` when a function of the chain returns no stream. */
export function openChain(
  source: ChainSource & Stream<unknown>,
  chain: readonly NamedInputStream[],
  params: unknown,
): Stream<unknown> {
  let stream: Stream<unknown> = source;
  let { size, url } = source;
  for (const { name, fn } of chain) {
    const result = fn(stream, size, url, params);
    if (isTriple(result)) [stream, size, url] = result;
    else stream = asStream(result, name);
  }
  return stream;
}

/** The seed's form of a result that also says what the next function is told. */
function isTriple(result: unknown): result is [Stream<unknown>, number, string] {
  return (
    Array.isArray(result) &&
    result.length === 3 &&
    (isIterable(result[0]) || isAsyncIterable(result[0])) &&
    typeof result[1] === "number" &&
    typeof result[2] === "string"
  );
}

function asStream(result: unknown, name: string): Stream<unknown> {
  if (isIterable(result) || isAsyncIterable(result)) return result;
  if (isThenable(result)) return awaited(result, name);
  const hint =
    typeof result === "function"
      ? `Is ${name} a factory? Then call it: ${name}(…).`
      : "An input stream is a function* that yields entries.";
  throw new DiscoError(`${name} returned ${describe(result)}, an iterable of entries was expected`, {
    code: "bad-result",
    hint,
  });
}

/** The stream that an async function promises. */
async function* awaited(promise: PromiseLike<unknown>, name: string): AsyncGenerator<unknown, void, undefined> {
  const stream = await promise;
  yield* isTriple(stream) ? stream[0] : asStream(stream, name);
}
