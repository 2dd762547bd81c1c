/**
 * `disco jobdict NAME`: what a job was asked to do, read from its job pack; or what the job of a job pack that is a file would be. Nothing of the job's code is loaded for it: whoever
 * looks at somebody's job does not run it. Functions are shown by their names.
 */
import { inspect } from "node:util";
import type { FnRef, JobData, ShippedFn, StagePlan } from "../../protocol/job-data.ts";
import { decodeJobPack } from "../../protocol/jobpack.ts";
import { decodeValue } from "../../protocol/value.ts";
import { field } from "../print/record-text.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { isPackFile, readPackFile } from "../run/pack-file.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

type Dict = Readonly<Record<string, unknown>>;

const inputsShownMax = 10;

export async function printJobDict(word: string, options: StoreOptions): Promise<void> {
  if (await isPackFile(word)) return print(word, (await readPackFile(word)).bytes, options);
  await withDisco(options, async (disco) => {
    const name = await resolveName(disco, word);
    print(name, await disco.jobspec(name), options);
  });
}

function print(name: string, pack: Uint8Array, { json }: StoreOptions): void {
  const dict = dictOf(pack);
  if (json === true) printJson({ name, ...dict });
  else printLines([name, ...Object.entries(dict).flatMap(([key, value]) => entryLines(key, value))]);
}

/** Packs of other clients than ours have Disco's own keys only. */
function dictOf(pack: Uint8Array): Dict {
  const { version, jobdict, jobenvs, jobdata, files } = decodeJobPack(pack);
  const { disco_ts: spec, ...known } = jobdict;
  if (spec === undefined) return { version, ...known, jobenvs, requiredFiles: [...files().keys()] };
  const data = decodeValue(jobdata) as JobData;
  const { pipeline: _, inputs, ...rest } = spec as Dict;
  const fn = (ref: FnRef): string => nameOf(data.code.fns[ref]);
  return {
    version,
    ...rest,
    inputs: (inputs as readonly { readonly replicas: readonly string[] }[]).map(({ replicas }) =>
      replicas.length === 1 ? replicas[0] : replicas,
    ),
    pipeline: data.stages.map((stage) => stageOf(stage, fn)),
    params: decodeValue(data.params, { onFunction: fn }),
    requiredFiles: [...files().keys()],
    requiredModules: data.requiredModules,
    seed: data.seed,
  };
}

function stageOf(stage: StagePlan, fn: (ref: FnRef) => string): Dict {
  const { name, grouping, kind, init, combiner, partition, writer, partitions, sort, concurrency } = stage;
  const all: Dict = {
    name,
    grouping,
    [kind]: fn(stage.fn),
    init: init === null ? null : fn(init),
    inputStream: stage.inputStream.map(fn),
    outputStream: stage.outputStream.map(fn),
    combiner: combiner === null ? null : fn(combiner),
    partition: partition === null ? null : fn(partition),
    writer: writer === null ? null : fn(writer),
    partitions,
    sort: kind === "reduce" ? sort : null,
    concurrency: concurrency > 1 ? concurrency : null,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );
}

function nameOf(fn: ShippedFn | undefined): string {
  if (fn === undefined) return "?";
  if (fn.kind === "export") return fn.display;
  return fn.args === undefined ? fn.name : `${fn.name}(${fn.args.map((arg) => inspect(arg)).join(", ")})`;
}

/** `key TAB value`; of a list, each entry on a line of its own. Packs are anybody's: what is in them is no command for a terminal. */
export function entryLines(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [`  ${printable(key)}\t${shown(value)}`];
  if (value.length === 0) return [];
  const rest = value.length - inputsShownMax;
  return [
    `  ${printable(key)}`,
    ...value.slice(0, inputsShownMax).map((one) => `    ${shown(one)}`),
    ...(rest > 0 ? [`    and ${rest} more (--json shows all)`] : []),
  ];
}

function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) return printable(field(value));
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 6, maxArrayLength: 20 });
}

/** Text with what a terminal would take for a command written as `\x1b`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
