/**
 * Does the cost grow with the amount, or faster? The same jobs on 0.1, 1 and 10 times the data and on 100 to 50,000 tasks. The
 * exponent of cost ~ size^exponent is that of the least squares over the logarithms: 1 is linear; below 1 a constant share, the
 * start of the engine, weighs on the smallest. `bend` is the last step's growth of CPU time over that of the size: what a
 * quadratic step somewhere would show first.
 */
import { join } from "node:path";
import { recordBytes, sortFile, textFiles } from "./data.ts";
import { type Measured, measure, memoryOf } from "./measure.ts";
import { textBytes, wordCountJob } from "./p1-p2-word-count.ts";
import { manyTasks } from "./p6-many-tasks.ts";
import type { Series } from "./plot.ts";
import type { Answer, Line, Question, Scale } from "./question.ts";
import { median, powerLaw } from "./statistics.ts";

interface Size {
  /** In the unit of the axis. */
  readonly amount: number;
  /** Of the series, e.g. `20 MB`. */
  readonly name: string;
  readonly run: () => Promise<Measured<{ readonly seconds: number }>>;
}

interface Growing {
  readonly name: string;
  readonly sizes: readonly Size[];
}

/** The next size took so many times the processor time that linear growth would have taken. */
const bendMax = 1.2;
const sortFiles = 4;

/** 20 MB, 200 MB and 2 GB of text: the largest is the files of the one before ten times over, as inputs. */
function wordCounts(factor: number): Growing {
  const size = (bytes: number, times: number): Size => ({
    amount: (bytes * times) / 1e6,
    name: `${megabytes(bytes * times)} MB`,
    run: () => wordCountJob("combiner", new Array(times).fill(textFiles(bytes)).flat() as string[])(),
  });
  const full = Math.floor(textBytes * factor);
  return { name: "word count", sizes: [size(Math.floor(full / 10), 1), size(full, 1), size(full, 10)] };
}

/** 40 MB, 400 MB and 4 GB: the largest is P3's file four times over. */
function sorts(factor: number): Growing {
  const size = (records: number, times: number): Size => ({
    amount: (records * recordBytes * times) / 1e6,
    name: `${megabytes(records * recordBytes * times)} MB`,
    run: () => {
      const files = new Array<string>(times).fill(sortFile(Math.floor(records)));
      return measure([process.execPath, join(import.meta.dirname, "jobs/sort.ts"), ...files]);
    },
  });
  const sizes = [size(400_000 * factor, 1), size(4_000_000 * factor, 1), size(10_000_000 * factor, sortFiles)];
  return { name: "sort within 256 MB a worker", sizes };
}

function tasks(factor: number): Growing {
  const sizes = [100, 1_000, 10_000, 50_000].map((full): Size => {
    const count = Math.max(8, Math.floor(full * factor));
    return { amount: count, name: `${count.toLocaleString("en")} tasks`, run: () => manyTasks(count) };
  });
  return { name: "map tasks", sizes };
}

interface Grown {
  readonly name: string;
  readonly points: readonly { readonly size: Size; readonly runs: readonly Measured<{ readonly seconds: number }>[] }[];
}

async function grow({ name, sizes }: Growing, runs: number): Promise<Grown> {
  const points = [];
  for (const [i, size] of sizes.entries()) {
    const done = [];
    // The largest takes longer than all others together, and what is noise to them is none to it.
    for (let run = 0; run < (i === sizes.length - 1 ? 1 : runs); run++) done.push(await size.run());
    points.push({ size, runs: done });
  }
  return { name, points };
}

const wallOf = (runs: Grown["points"][number]["runs"]): number => median(runs.map(({ report }) => report.seconds));
const cpuOf = (runs: Grown["points"][number]["runs"]): number => median(runs.map(({ cpuSeconds }) => cpuSeconds));

function linesOf({ name, points }: Grown): Line[] {
  const of = (cost: typeof wallOf) => points.map(({ size, runs }) => [size.amount, cost(runs)] as const);
  const [[smaller, before] = [1, 1], [larger, after] = [1, 1]] = of(cpuOf).slice(-2);
  return [
    ...points.flatMap(({ size, runs }): Line[] => [
      { name: `${name}, ${size.name}: wall`, unit: "s", values: runs.map(({ report }) => report.seconds) },
      { name: `${name}, ${size.name}: cpu`, unit: "s", values: runs.map(({ cpuSeconds }) => cpuSeconds) },
    ]),
    { name: `${name}: exponent of wall`, unit: "exponent", values: [powerLaw(of(wallOf)).exponent] },
    { name: `${name}: exponent of cpu`, unit: "exponent", values: [powerLaw(of(cpuOf)).exponent] },
    {
      name: `${name}: bend, cpu`,
      unit: "x",
      values: [after / before / (larger / smaller)],
      target: { kind: "max", value: bendMax },
    },
  ];
}

const seriesOf = ({ name, points }: Grown): Series[] => [
  { name: `${name}, wall`, points: points.map(({ size, runs }) => [size.amount, wallOf(runs)] as const) },
  { name: `${name}, cpu`, points: points.map(({ size, runs }) => [size.amount, cpuOf(runs)] as const) },
];

async function run({ factor, runs }: Scale): Promise<Answer> {
  const data = [await grow(wordCounts(factor), runs), await grow(sorts(factor), runs)];
  const many = await grow(tasks(factor), runs);
  return {
    lines: [...data, many].flatMap(linesOf),
    memory: [...data, many].flatMap(({ name, points }) =>
      points.flatMap(({ size, runs }) => memoryOf(runs, `${name}, ${size.name}`)),
    ),
    plots: [
      {
        file: "growth-data.svg",
        plot: {
          title: "Cost against the amount of data, two workers",
          xLabel: "input, MB",
          yLabel: "seconds",
          series: data.flatMap(seriesOf),
        },
      },
      {
        file: "growth-tasks.svg",
        plot: {
          title: "Cost against the number of map tasks, two workers",
          xLabel: "map tasks",
          yLabel: "seconds",
          series: seriesOf(many),
        },
      },
    ],
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });
}

export const growth: Question = {
  id: "GROWTH",
  title: "cost against size: 0.1, 1 and 10 times the data, 100 to 50,000 tasks",
  target: `the largest takes at most ${bendMax} times the processor time that linear growth from the one before would`,
  run,
};
