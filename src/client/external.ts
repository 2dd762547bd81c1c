/** External programs as functions of a job (the seed: `disco.util.external`). How they are spoken to: `docs/external.md`. */
import type { ExternalForm } from "../protocol/job-data.ts";
import { externalName, notCallable } from "../worker/external/stand-in.ts";
import { own, ownFactory } from "../worker/own.ts";
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import { anObject, oneOf, shown, stringList } from "./option-checks.ts";

export interface ExternalOptions<K extends ExternalForm = ExternalForm, V extends ExternalForm = ExternalForm> {
  /** Keys that the program writes: strings of UTF-8, or `"bytes"` of any kind as `Uint8Array`. Default: `"text"`. */
  readonly keys?: K;
  /** The same of values. Default: `"text"`. */
  readonly values?: V;
}

type Item<F extends ExternalForm> = F extends "bytes" ? Uint8Array : string;

/** A map or a reduce that is a program. */
export type ExternalFunction<K = string, V = string> = (
  // biome-ignore lint/suspicious/noExplicitAny: it reads records of all types that have a form as text or bytes.
  ...args: any[]
) => Iterable<readonly [K, V]>;

/** What `external` was given. */
export interface ExternalFiles {
  readonly files: readonly string[];
  readonly keys: ExternalForm;
  readonly values: ExternalForm;
}

/** Shared by all copies of the package in a process. */
const filesMark: unique symbol = Symbol.for("disco-mapreduce.external") as never;

const checks = { keys: oneOf("text", "bytes"), values: oneOf("text", "bytes") };

/**
 * An external program as `map` or `reduce`: `external(["./bin/count", "./conf.txt"])`. The first path is the executable; the others are
 * files that it needs. On the nodes all lie in one directory, the program's working directory, under their own names.
 *
 * Nothing is read before the job is submitted; paths are relative to the working directory of that moment.
 *
 * @throws JobError `bad-option`, `unknown-option`
 */
export function external<K extends ExternalForm = "text", V extends ExternalForm = "text">(
  files: readonly string[],
  options: ExternalOptions<K, V> = {},
): ExternalFunction<Item<K>, Item<V>> {
  if (stringList(files) !== null || files.length === 0) {
    throw badOption(
      `external: a list of paths, the executable first, was expected, not ${shown(files)}`,
      'Write external(["./program", "./file-that-it-needs"]).',
    );
  }
  if (anObject(options) !== null) throw badOption(`external: options are an object, not ${shown(options)}`);
  checkNames(options, checks, "external: ", () => undefined);
  checkValues(options, checks, "external: ");
  const { keys = "text", values = "text" } = options;
  const standIn = own(externalName, (): never => {
    throw notCallable();
  });
  const given: ExternalFiles = { files: [...files], keys, values };
  return Object.defineProperty(standIn, filesMark, { value: given });
}

ownFactory(external, 'external(["./program"])');

/** What `external` was given to make this function; `undefined` for any other. */
export function externalFiles(fn: unknown): ExternalFiles | undefined {
  if (typeof fn !== "function") return undefined;
  return (fn as unknown as { readonly [filesMark]?: ExternalFiles })[filesMark];
}
