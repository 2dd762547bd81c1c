/**
 * How types flow through a job: from the reader to `map`, from what `map` returns to the combiner, the partitioner and
 * `reduce`, and from there to the results.
 *
 * TypeScript infers the properties of a job dict from left to right, so a `map` stands before the `reduce` that reads its
 * pairs, and a reader written inline stands before the `map` that reads its entries. `NoInfer` marks places that take
 * part in no inference: there a mismatch is an error, and not a wider type.
 */
import type { InputStream, OutputStreamFactory, Writer } from "../worker/streams/stream.ts";
import type { Job } from "./job.ts";
import type { JobInput, pairType } from "./results.ts";

/** A pair as functions may emit it. */
export type Pair<K, V> = readonly [key: K, value: V];

/** What `map` may return: pairs, at once, in time, or one after the other. */
export type MapResult<K, V> =
  | Iterable<Pair<K, V>>
  | AsyncIterable<Pair<K, V>>
  | PromiseLike<Iterable<Pair<K, V>> | AsyncIterable<Pair<K, V>>>;

/** What `reduce` returns when it used `out`. */
export type Nothing = void | PromiseLike<void> | Returned;

/** The pairs that `reduce` reads: can be iterated once, and has the iterator helpers (`map`, `filter`, `take` …). */
export type Pairs<K, V> = IteratorObject<[key: K, value: V], undefined>;

/** Where the other form of `reduce`, `(pairs, out, params)`, puts its results. */
export interface ReduceOutput<K, V> {
  add(key: K, value: V): void;
}

// biome-ignore lint/suspicious/noExplicitAny: what `out.add` takes unless the parameter has a type of its own.
export type AnyReduceOutput = ReduceOutput<any, any>;

/** Stands for a `reduce` that returns something. */
export interface Returned {
  readonly returned: never;
}

/** The pairs of a job's results: what `reduce` returned or, where that was nothing, what its `out` takes. */
export type ResultPair<K2, V2, R, O> = Returned extends R
  ? readonly [K2, V2]
  : O extends ReduceOutput<infer K, infer V>
    ? readonly [K, V]
    : never;

/** `1` as a value means "a number": what a map emits is only an example of what combiners and reducers make. */
export type Widen<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends bigint
      ? bigint
      : T extends boolean
        ? boolean
        : T;

type IsAny<T> = 0 extends 1 & T ? true : false;

// biome-ignore lint/suspicious/noExplicitAny: the keys of an input that says nothing about them.
type Unknowable = any;

/** The pairs behind an input: known of the results of a typed job, and of the job itself. */
export type PairOf<In> =
  In extends Job<infer K, infer V>
    ? readonly [K, V]
    : typeof pairType extends keyof In
      ? Exclude<In[typeof pairType], undefined>
      : readonly [Unknowable, Unknowable];
export type KeyOf<In> = PairOf<In> extends readonly [infer K, unknown] ? K : Unknowable;
export type ValueOf<In> = PairOf<In> extends readonly [unknown, infer V] ? V : Unknowable;

/** What `map` sees: what the reader makes; from `chainReader`, which reads pairs of any types, those of the input. */
export type Entry<E, In> = E extends readonly [infer K, infer V]
  ? IsAny<K> extends true
    ? IsAny<V> extends true
      ? [key: KeyOf<In>, value: ValueOf<In>]
      : E
    : E
  : E;

/** The seed's `init(input_iter, params)`: called once before the task. */
export type InitFunction<P> = (input: Iterable<Unknowable>, params: P) => unknown;

/**
 * Called for each pair of a partition, and a last time with `done`: then `key` and `value` are undefined. What is left in
 * `buffer` after that call is emitted, unless the call returned pairs.
 */
export type Combiner<K, V, P> = (
  key: K,
  value: V,
  buffer: Map<K, V>,
  done: boolean,
  params: P,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without `return` is meant.
) => Iterable<Pair<K, V>> | void;

export type Partitioner<K, P> = (key: K, nrPartitions: number, params: P) => number;

/** A reader whose entries are of type `E`. */
export type Reader<E, P> = InputStream<Unknowable, E, P>;

/** Functions chained one after the other; the last one gives the entries. */
export type ReaderChain<E, P> = readonly [...Reader<Unknowable, P>[], Reader<E, P>];

export type WriterChain<P> = readonly OutputStreamFactory<P>[];

export type { InputStream, JobInput, OutputStreamFactory, Writer };
