/**
 * From options to stages. The flat options of the seed become a pipeline of one or two:
 *
 *   map            map: split
 *   reduce         reduce: group_label over partitioned dir:// inputs, else group_all
 *   map + reduce   map: split, then reduce: group_label; group_all for one partition, none, or mergePartitions
 *
 * Map output is partitioned into `partitions`; a reduce passes the label of its partition on to its results, so that a chain of
 * jobs keeps its partitions. Functions are listed in `fns`; stages name them by index until they are shipped.
 */
import type { Grouping } from "../core/job/spec.ts";
import type { ExternalPlan, FnRef, StagePlan } from "../protocol/job-data.ts";
import type { ShipRequest } from "../shipping/ship.ts";
import { badOption } from "./bad-option.ts";
import { warnDeprecated } from "./deprecated.ts";
import type { AnyJobOptions, StageOptions } from "./job-options.ts";
import { stageName } from "./validate-pipeline.ts";

export interface PlanContext {
  /** All inputs come from `dir://` indexes. */
  readonly partitioned: boolean;
  readonly concurrency: number;
  /** Put before the default reader of the first stage: decompression. */
  readonly readBefore: readonly NamedFunction[];
  /** The program that stands behind a function, if one does. Default: no function has one. */
  readonly programOf?: (fn: unknown) => ExternalPlan | undefined;
}

/** A function, and what it is to the job. */
export interface NamedFunction {
  readonly role: string;
  readonly fn: JobFunction;
}

/** Any function of a job. */
export type JobFunction = (...args: never[]) => unknown;

/** Lists functions, each once. */
export class FunctionList {
  readonly requests: ShipRequest[] = [];
  readonly #known = new Map<unknown, number>();

  /** `isEmitted`: it is called as a map or reduce. */
  add(role: string, fn: JobFunction, isEmitted = false): FnRef {
    let ref = this.#known.get(fn);
    if (ref === undefined) {
      ref = this.requests.length;
      this.requests.push({ role, fn, isEmitted });
      this.#known.set(fn, ref);
    } else if (!isEmitted) {
      this.requests[ref] = { ...(this.requests[ref] as ShipRequest), isEmitted };
    }
    return ref;
  }

  optional(role: string, fn: JobFunction | undefined): FnRef | null {
    return fn === undefined ? null : this.add(role, fn);
  }

  all(role: string, fns: readonly JobFunction[] = []): FnRef[] {
    return fns.map((fn, i) => this.add(`${role}[${i}]`, fn));
  }
}

/** Whether entries are what the default reader makes of text. */
export function hasDefaultReader(options: AnyJobOptions): boolean {
  const first = options.pipeline?.[0];
  if (first !== undefined)
    return first.map !== undefined && first.reader === undefined && first.inputStream === undefined;
  return options.map !== undefined && options.mapReader === undefined && options.mapInputStream === undefined;
}

/** The stages of validated options. Throws `JobError` `bad-option` where inputs and options do not go together. */
export function planStages(options: AnyJobOptions, context: PlanContext, fns: FunctionList): StagePlan[] {
  return options.pipeline === undefined
    ? flatStages(options, context, fns)
    : pipelineStages(options.pipeline, context, fns);
}

function flatStages(options: AnyJobOptions, context: PlanContext, fns: FunctionList): StagePlan[] {
  for (const name of ["nrReduces", "mapWriter", "reduceWriter"] as const) {
    if (options[name] !== undefined) warnDeprecated(name);
  }
  const { map, reduce, mergePartitions = false, sort = false } = options;
  const partitions: number | null = options.partitions !== undefined ? options.partitions : (options.nrReduces ?? 1);
  const stages: StagePlan[] = [];
  if (map !== undefined) {
    stages.push({
      name: "map",
      grouping: "split",
      kind: "map",
      ...functionOf("map", map, context, fns),
      init: fns.optional("mapInit", options.mapInit),
      inputStream: [
        ...context.readBefore.map(({ role, fn }) => fns.add(role, fn)),
        ...fns.all("mapInputStream", options.mapInputStream),
        ...last(fns.optional("mapReader", options.mapReader)),
      ],
      outputStream: fns.all("mapOutputStream", options.mapOutputStream),
      writer: fns.optional("mapWriter", options.mapWriter),
      combiner: fns.optional("combiner", options.combiner),
      partition: fns.optional("partition", options.partition),
      partitions,
      sort: false,
      sortOutput: reduce !== undefined && sort === true,
      final: reduce === undefined,
      concurrency: context.concurrency,
    });
  }
  if (reduce !== undefined) {
    stages.push({
      name: "reduce",
      grouping: reduceGrouping(map !== undefined, partitions, mergePartitions, context.partitioned),
      kind: "reduce",
      ...functionOf("reduce", reduce, context, fns),
      init: fns.optional("reduceInit", options.reduceInit),
      inputStream: [
        ...fns.all("reduceInputStream", options.reduceInputStream),
        ...last(fns.optional("reduceReader", options.reduceReader)),
      ],
      outputStream: fns.all("reduceOutputStream", options.reduceOutputStream),
      writer: fns.optional("reduceWriter", options.reduceWriter),
      combiner: null,
      partition: null,
      partitions: null,
      sort,
      sortOutput: false,
      final: true,
      concurrency: context.concurrency,
    });
  }
  return stages;
}

function reduceGrouping(hasMap: boolean, partitions: number | null, merge: boolean, partitioned: boolean): Grouping {
  if (hasMap) return merge || partitions === 1 || partitions === null ? "group_all" : "group_label";
  if (merge && !partitioned) {
    throw badOption(
      "mergePartitions: there are no partitions to merge: the inputs are not results of a job",
      "Leave mergePartitions out: the reduce reads all inputs anyway.",
    );
  }
  return partitioned && !merge ? "group_label" : "group_all";
}

function pipelineStages(stages: readonly StageOptions[], context: PlanContext, fns: FunctionList): StagePlan[] {
  return stages.map((stage, i) => {
    const place = `pipeline[${i}].`;
    const isMap = stage.map !== undefined;
    const isLast = i === stages.length - 1;
    const next = stages[i + 1];
    return {
      name: stageName(stage, i),
      grouping: stage.grouping ?? (isMap ? "split" : "group_label"),
      kind: isMap ? "map" : "reduce",
      ...functionOf(`${place}${isMap ? "map" : "reduce"}`, (stage.map ?? stage.reduce) as JobFunction, context, fns),
      init: fns.optional(`${place}init`, stage.init),
      inputStream: [
        ...(i === 0 ? context.readBefore.map(({ role, fn }) => fns.add(role, fn)) : []),
        ...fns.all(`${place}inputStream`, stage.inputStream),
        ...last(fns.optional(`${place}reader`, stage.reader)),
      ],
      outputStream: fns.all(`${place}outputStream`, stage.outputStream),
      writer: null,
      combiner: fns.optional(`${place}combiner`, stage.combiner),
      partition: fns.optional(`${place}partition`, stage.partition),
      partitions: stage.partitions !== undefined ? stage.partitions : isLast ? null : 1,
      sort: stage.sort ?? false,
      sortOutput: next?.reduce !== undefined && next.sort === true,
      final: isLast,
      concurrency: stage.concurrency ?? context.concurrency,
    };
  });
}

function functionOf(
  role: string,
  fn: JobFunction,
  { programOf }: PlanContext,
  fns: FunctionList,
): Pick<StagePlan, "fn" | "external"> {
  const external = programOf?.(fn);
  return { fn: fns.add(role, fn, true), ...(external === undefined ? {} : { external }) };
}

function last(ref: FnRef | null): FnRef[] {
  return ref === null ? [] : [ref];
}

/** The stage with `refs[i]` wherever it named function i; `keyed` are combiners that ask only for their own key. */
export function withRefs(stage: StagePlan, refs: readonly FnRef[], keyed: ReadonlySet<FnRef> = new Set()): StagePlan {
  const of = (index: FnRef): FnRef => refs[index] as FnRef;
  const orNull = (index: FnRef | null): FnRef | null => (index === null ? null : of(index));
  return {
    ...stage,
    fn: of(stage.fn),
    init: orNull(stage.init),
    inputStream: stage.inputStream.map(of),
    outputStream: stage.outputStream.map(of),
    writer: orNull(stage.writer),
    combiner: orNull(stage.combiner),
    ...(stage.combiner !== null && keyed.has(of(stage.combiner)) ? { combinerByKey: true } : {}),
    partition: orNull(stage.partition),
  };
}
