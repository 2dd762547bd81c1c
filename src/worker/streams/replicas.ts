/**
 * One input of several replicas as one stream: where a replica fails, the next one goes on with the record after the last one
 * that was read. Replicas have the same contents by definition, so counting records is enough, whatever the format; one that
 * ends before it got there is none.
 */
import { CommError, DataError } from "../../errors.ts";
import { BatchIterator, nextRecords } from "./batches.ts";
import { leave } from "./leave.ts";
import { isIterable, type Stream } from "./stream.ts";

/** Opens one replica; may throw, and the stream may throw later. */
export type OpenReplica = (url: string) => Stream<unknown>;

/** Reads the first of `urls` that works. Throws `DataError` with each one's reason when none does. */
export function openReplicas(urls: readonly string[], open: OpenReplica): Stream<unknown> {
  if (urls.length === 1) return open(urls[0] as string);
  const replicas = new Replicas(urls, open);
  const first = replicas.next();
  return isIterable(first) ? new ReplicatedRecords(replicas, first) : replicatedAsync(replicas, first);
}

/** What was read of it was wrong, nobody knows from which record on. */
const wrongFromStart: ReadonlySet<string> = new Set(["blob-damaged", "bad-digest"]);

/** A failure that another copy of the data may not have, and that leaves what was read so far as it is. */
function isDataFailure(error: unknown, records: number): error is Error {
  if (!(error instanceof DataError || error instanceof CommError)) return false;
  return records === 0 || !wrongFromStart.has(error.code);
}

class Replicas {
  readonly #urls: readonly string[];
  readonly #open: OpenReplica;
  readonly #reasons: string[] = [];
  #at = 0;
  #last: unknown;
  #current = "";

  constructor(urls: readonly string[], open: OpenReplica) {
    this.#urls = urls;
    this.#open = open;
  }

  /** `records`: how many were read so far. @throws the error when no other replica helps */
  failed(error: unknown, records: number): void {
    if (!isDataFailure(error, records)) throw error;
    this.#last = error;
    this.#reasons.push(error.message);
  }

  /** The replica that is read ends in the middle of what others gave. */
  tooShort(records: number, read: number): DataError {
    const url = this.#current;
    return new DataError(`${url}: it ends after ${records} records, ${read} were read of another replica`, {
      code: "bad-replica",
      url,
    });
  }

  next(): Stream<unknown> {
    while (this.#at < this.#urls.length) {
      const url = this.#urls[this.#at++] as string;
      this.#current = url;
      try {
        return this.#open(url);
      } catch (error) {
        this.failed(error, 0);
      }
    }
    throw new DataError(
      `none of ${this.#urls.length} replicas can be read:\n${this.#reasons.map((r) => `  ${r}`).join("\n")}`,
      {
        code: "no-replica",
        url: this.#urls[0] ?? "",
        cause: this.#last,
      },
    );
  }
}

class ReplicatedRecords extends BatchIterator<unknown> {
  readonly #replicas: Replicas;
  #records: Iterator<unknown>;
  #delivered = 0;
  #toSkip = 0;

  constructor(replicas: Replicas, first: Iterable<unknown>) {
    super();
    this.#replicas = replicas;
    this.#records = first[Symbol.iterator]();
  }

  protected override readBatch(): readonly unknown[] | null {
    for (;;) {
      const batch = this.#tryBatch();
      if (batch === null) return null;
      if (batch.length <= this.#toSkip) {
        this.#toSkip -= batch.length;
        continue;
      }
      const fresh = this.#toSkip === 0 ? batch : batch.slice(this.#toSkip);
      this.#toSkip = 0;
      this.#delivered += fresh.length;
      return fresh;
    }
  }

  override return(): IteratorResult<unknown, undefined> {
    this.#records.return?.();
    return super.return();
  }

  /** `[]` after a change of replica. */
  #tryBatch(): readonly unknown[] | null {
    try {
      const batch = nextRecords(this.#records);
      if (batch === null && this.#toSkip > 0) {
        throw this.#replicas.tooShort(this.#delivered - this.#toSkip, this.#delivered);
      }
      return batch;
    } catch (error) {
      leave(this.#records);
      this.#replicas.failed(error, this.#delivered);
      const next = this.#replicas.next();
      if (!isIterable(next)) throw new TypeError("the readers of two replicas are not both synchronous");
      this.#records = next[Symbol.iterator]();
      this.#toSkip = this.#delivered;
      return [];
    }
  }
}

async function* replicatedAsync(replicas: Replicas, first: Stream<unknown>): AsyncGenerator<unknown, void, undefined> {
  let stream = first;
  let delivered = 0;
  for (;;) {
    let toSkip = delivered;
    try {
      for await (const record of stream) {
        if (toSkip > 0) {
          toSkip--;
          continue;
        }
        delivered++;
        yield record;
      }
      if (toSkip > 0) throw replicas.tooShort(delivered - toSkip, delivered);
      return;
    } catch (error) {
      replicas.failed(error, delivered);
      stream = replicas.next();
    }
  }
}
