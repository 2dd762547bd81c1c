/**
 * Streams of the master, which outlive connections and masters: one that is cut off is asked for again from where it was.
 *
 * S1. What was given is never given again, and nothing is left out: the place is that of the last item that was given.
 * S2. Only the server's `event: end` is the end. Silence for longer than its heartbeat is a connection that is dead.
 * S3. An abort ends the iteration, at once and without an error.
 */
import * as v from "valibot";
import { heartbeatMs } from "../../protocol/api/events.ts";
import type { Answer, Operation } from "../../protocol/api/operation.ts";
import { keepAlive } from "../keep-alive.ts";
import type { Reply } from "./connection.ts";
import { detailsIn, otherVersion, rebuilt } from "./failures.ts";
import { Interrupted } from "./interrupted.ts";
import type { Asked, Questions } from "./questions.ts";
import { type ServerEvent, ServerEventParser } from "./server-events.ts";

/** Heartbeats that may be missing. */
const silenceMs = 3 * heartbeatMs;

export interface StreamItem<T> {
  readonly id: string;
  readonly value: T;
}

type StreamOperation = Operation & { readonly answer: Extract<Answer, { kind: "stream" }> };

/**
 * Everything that a stream of the API gives. `questionFrom` makes the question that goes on behind the last item.
 * @throws CommError, or what the master says is wrong
 */
export async function* follow<O extends StreamOperation>(
  questions: Questions,
  operation: O,
  signal: AbortSignal | undefined,
  questionFrom: (lastId: string | null) => Asked<O>,
): AsyncGenerator<StreamItem<v.InferOutput<O["answer"]["data"]>>> {
  let lastId: string | null = null;
  const stop = new AbortController();
  const all = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const retries = questions.retries(all);
  try {
    for (;;) {
      try {
        const headers = { accept: "text/event-stream" };
        const reply: Reply = await keepAlive(
          questions.open(operation, { ...questionFrom(lastId), headers, signal: all, silenceMs }),
        );
        const { master } = reply;
        for await (const event of eventsOf(reply)) {
          if (event.event === "end") return;
          if (event.event === "error") throw failureIn(event, master);
          retries.reset();
          lastId = event.id;
          yield { id: event.id, value: checked(questions, operation, event.data) };
        }
        throw new Interrupted(new Error("the stream was cut off"), { isSent: true, master });
      } catch (error) {
        if (signal?.aborted === true) return;
        await keepAlive(questions.recover(error, retries));
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    stop.abort();
  }
}

/** The process lives as long as somebody waits for the next event, and no longer. */
async function* eventsOf({ body, master }: Reply): AsyncGenerator<ServerEvent> {
  const parser = new ServerEventParser();
  const chunks = body.setEncoding("utf8")[Symbol.asyncIterator]() as AsyncIterator<string>;
  try {
    for (;;) {
      const next = await keepAlive(nextOf(chunks, master));
      if (next.done === true) return;
      yield* parser.take(next.value);
    }
  } finally {
    body.destroy();
  }
}

async function nextOf(chunks: AsyncIterator<string>, master: string): Promise<IteratorResult<string>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new Interrupted(error as Error, { isSent: true, master });
  }
}

function checked<O extends StreamOperation>(
  { options }: Questions,
  { answer, path }: O,
  data: string,
): v.InferOutput<O["answer"]["data"]> {
  const result = v.safeParse(answer.data, parsed(data));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw otherVersion(
    options.shown,
    `its stream ${path} has another form (${v.getDotPath(issue) ?? ""} ${issue.message})`,
  );
}

function failureIn({ data }: ServerEvent, master: string): Error {
  const details = detailsIn(data);
  if (details === null || details.code === "internal") {
    return new Interrupted(new Error("the master broke the stream off"), { isSent: true, master });
  }
  return rebuilt(details);
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
