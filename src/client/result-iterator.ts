/**
 * Reading results (the seed: `disco.core.result_iterator`): one result after the other, block by block, in constant memory.
 *
 * A promise a record would cost more than the record: results that lie on this machine can also be read by a plain
 * `for … of`, which costs no promises at all; `for await` makes one promise a record and nothing else, which is what the language
 * asks for: about as much as decoding the record. What comes over a network is fetched a block ahead of the loop.
 */
import { chainReader } from "../worker/streams/chain.ts";
import type { AnyInputStream } from "../worker/streams/input-chain.ts";
import { isIterable } from "../worker/streams/stream.ts";
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import type { Reader, ReaderChain } from "./infer.ts";
import type { Job } from "./job.ts";
import { functionCheck, functionList } from "./option-checks.ts";
import { AsyncRecordIterator, appendRecords, RecordIterator } from "./record-iterators.ts";
import { filesBehind, filesBehindSync, listResults, listResultsSync } from "./result-addresses.ts";
import { notHere } from "./result-index.ts";
import {
  batchesInTime,
  batchesOf,
  isLocal,
  openRecords,
  type ReadOptions,
  type RecordBatch,
} from "./result-records.ts";
import type { ResultItem, Results } from "./results.ts";

/** Results, by address or by whatever else leads to them: a job is waited for. */
export type ResultSource<K, V> =
  | Results<K, V>
  | Job<K, V>
  | ResultItem<K, V>
  | string
  | readonly (string | readonly string[])[];

export interface ResultOptions<E, P> {
  /** Last of `inputStream`; makes records of bytes. Default: `chainReader`, which reads what jobs write by default. */
  readonly reader?: Reader<E, P>;
  /** Readers, each reading what the one before gives. */
  readonly inputStream?: ReaderChain<E, P>;
  /** Called with the address of each file of results as it is opened. */
  readonly notifier?: (url: string) => void;
  /** Passed to the readers. */
  readonly params?: P;
}

/** Records of results, in order. Each loop over it reads them anew. */
export class ResultIterator<T> implements AsyncIterable<T> {
  readonly #source: unknown;
  readonly #options: ReadOptions;

  /** @internal */
  constructor(source: unknown, options: ReadOptions) {
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new AsyncRecordIterator<T>(this.#batches());
  }

  /**
   * Reads synchronously, which is several times faster. Only of results on this machine.
   * @throws DiscoError `bad-results` for a job that has to be waited for, or results elsewhere
   */
  [Symbol.iterator](): IteratorObject<T, undefined> {
    return new RecordIterator<T>(this.#batchesSync());
  }

  /** All records, in memory. */
  async toArray(): Promise<T[]> {
    const records: T[] = [];
    for await (const batch of this.#batches()) appendRecords(records, batch);
    return records;
  }

  *#batchesSync(): Generator<RecordBatch, void> {
    for (const result of listResultsSync(this.#source)) {
      for (const file of filesBehindSync(result)) {
        const replicas = file.replicas.filter(isLocal);
        const [first] = replicas;
        const stream = first === undefined ? null : openRecords({ ...file, replicas }, this.#options);
        if (stream === null || !isIterable(stream)) throw notHere(first ?? (file.replicas[0] as string));
        yield* batchesOf(stream);
      }
    }
  }

  async *#batches(): AsyncGenerator<RecordBatch, void> {
    for (const result of await listResults(this.#source)) {
      for (const file of await filesBehind(result)) yield* batchesInTime(openRecords(file, this.#options));
    }
  }
}

const optionChecks = {
  reader: functionCheck,
  inputStream: functionList,
  notifier: functionCheck,
  params: (): null => null,
};

/**
 * The records of results, in order.
 *
 * @example
 * for await (const [word, n] of resultIterator(await job.wait())) console.log(word, n);
 *
 * @throws DiscoError `bad-results`, JobError when a job that was passed ends badly; while reading: DataError when no replica of a
 *   result can be read to its end
 */
export function resultIterator<E, P = undefined>(
  results: ResultSource<unknown, unknown>,
  options: ResultOptions<E, P> & ({ readonly reader: Reader<E, P> } | { readonly inputStream: ReaderChain<E, P> }),
): ResultIterator<E>;
// biome-ignore lint/suspicious/noExplicitAny: plain addresses say nothing about what lies behind them.
export function resultIterator<K = any, V = any>(
  results: ResultSource<K, V>,
  options?: Pick<ResultOptions<unknown, unknown>, "notifier" | "params">,
): ResultIterator<[key: K, value: V]>;
export function resultIterator(
  results: ResultSource<unknown, unknown>,
  // biome-ignore lint/suspicious/noExplicitAny: of whichever types the signatures above let in.
  options: ResultOptions<any, any> = {},
): ResultIterator<unknown> {
  if (typeof options !== "object" || options === null)
    throw badOption("resultIterator: an object of options was expected");
  checkNames(options, optionChecks, "resultIterator: ", () => undefined);
  checkValues(options, optionChecks, "resultIterator: ");
  const { reader, inputStream = [], notifier, params } = options;
  const chain = [...inputStream, ...(reader === undefined ? [] : [reader])];
  return new ResultIterator(results, {
    chain: (chain.length === 0 ? [chainReader] : chain) as readonly AnyInputStream[],
    notifier,
    params: params ?? {},
  });
}
