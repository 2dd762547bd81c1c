/**
 * Addresses of results, and addresses in general as a job takes them.
 */
import type { JobStatus } from "../core/job/spec.ts";
import type { Job } from "./job.ts";

/**
 * The URLs of a job's results, one `dir://` address for each task of the last stage: an ordinary array of strings that
 * remembers, for the type checker only, what pairs lie behind it.
 */
export type Results<K = unknown, V = unknown> = string[] & { readonly [pairType]?: readonly [K, V] };

export declare const pairType: unique symbol;

/** An address, or several of the same data (replicas). */
export type InputAddress = string | URL | readonly (string | URL)[];

// biome-ignore lint/suspicious/noExplicitAny: the results of any job.
type AnyJob = Job<any, any>;

/** What a job can read: addresses, results of jobs, or the jobs themselves. */
export type JobInput = string | URL | AnyJob | readonly (InputAddress | AnyJob)[];

/** How `Disco.results` reports on one job, and takes it back. */
export type ResultItem<K = unknown, V = unknown> = [
  name: string,
  state: [status: JobStatus | "unknown_job", results: Results<K, V>],
];

/** A job: its handle, its name, or an item that `Disco.results` gave. */
export type JobRef<K = unknown, V = unknown> = string | Job<K, V> | ResultItem<K, V>;

/** The pairs of a job's results, as far as the reference to it tells. */
export type PairOfRef<J> =
  J extends Job<infer K, infer V>
    ? readonly [K, V]
    : J extends ResultItem<infer K, infer V>
      ? readonly [K, V]
      : // biome-ignore lint/suspicious/noExplicitAny: a name says nothing about results.
        readonly [any, any];

/** How `Disco.results` reports on jobs of these types. */
export type ItemOfRef<J> = ResultItem<PairOfRef<J>[0], PairOfRef<J>[1]>;

const lists = new WeakSet<object>();

/** Marks a list as results: unlike other lists in a list, it does not mean replicas. */
export function asResults<K, V>(urls: readonly string[]): Results<K, V> {
  const results: Results<K, V> = [...urls];
  lists.add(results);
  return results;
}

export function isResults(value: unknown): value is Results {
  return typeof value === "object" && value !== null && lists.has(value);
}

/** Whether `value` is one `[name, [status, results]]`, and not a list of jobs. */
export function isResultItem(value: unknown): value is ResultItem {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== "string" || !Array.isArray(value[1]))
    return false;
  const [status, urls] = value[1] as readonly unknown[];
  return ["unknown_job", "dead", "active", "ready"].includes(status as string) && Array.isArray(urls);
}
