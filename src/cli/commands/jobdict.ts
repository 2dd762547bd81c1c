/**
 * `disco jobdict NAME`: what a job was asked to do, read from its job pack. Nothing of the job's code is loaded for it: whoever
 * looks at somebody's job does not run it. Functions are shown by their names.
 */
import { inspect } from "node:util";
import type { FnRef, JobData, ShippedFn, StagePlan } from "../../protocol/job-data.ts";
import { decodeJobPack } from "../../protocol/jobpack.ts";
import { decodeValue } from "../../protocol/value.ts";
import { field } from "../print/record-text.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

type Dict = Readonly<Record<string, unknown>>;

const inputsShownMax = 10;

export async function printJobDict(word: string, options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const name = await resolveName(disco, word);
    const dict = dictOf(await disco.jobspec(name));
    if (options.json === true) return printJson({ name, ...dict });
    printLines([name, ...Object.entries(dict).flatMap(([key, value]) => lines(key, value))]);
  });
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

/** `key TAB value`; of a list, each entry on a line of its own. */
function lines(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [`  ${key}\t${shown(value)}`];
  if (value.length === 0) return [];
  const rest = value.length - inputsShownMax;
  return [
    `  ${key}`,
    ...value.slice(0, inputsShownMax).map((one) => `    ${shown(one)}`),
    ...(rest > 0 ? [`    and ${rest} more (--json shows all)`] : []),
  ];
}

function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) return field(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 6, maxArrayLength: 20 });
}
