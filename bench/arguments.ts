/** What `npm run bench --` takes. */
import { parseArgs } from "node:util";
import type { Scale } from "./question.ts";
import { questions } from "./questions.ts";

export const usage = `Usage: npm run bench -- [QUESTION…] [OPTION…]

Measures all benchmarks, or those that are named: ${questions.map(({ id }) => id).join(", ")}

  --smoke            1 % of the data, one run
  --scale NUMBER     so many times the data (default: 1)
  --runs NUMBER      counted runs (default: 3)
  --source           measures the sources instead of the build
  --vs WHERE         compares with another checkout, or with a git revision
  --profile          tells what the time of a job's tasks went into
  --help             prints this`;

export interface Arguments {
  readonly scale: Scale;
  /** Ids of questions; empty: all. */
  readonly wanted: readonly string[];
  readonly source: boolean;
  readonly profile: boolean;
  readonly vs: string | undefined;
}

export type Read =
  | { readonly kind: "arguments"; readonly arguments: Arguments }
  | { readonly kind: "help" }
  /** A line that says what is wrong. */
  | { readonly kind: "wrong"; readonly what: string };

const options = {
  smoke: { type: "boolean", default: false },
  scale: { type: "string" },
  runs: { type: "string" },
  source: { type: "boolean", default: false },
  vs: { type: "string" },
  profile: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

export function readArguments(args: readonly string[]): Read {
  const parsed = parse(args);
  if (typeof parsed === "string") return { kind: "wrong", what: parsed };
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help" };
  const { smoke, source, profile, vs } = values;
  const scale = {
    factor: Number(values.scale ?? (smoke ? 0.01 : 1)),
    runs: Number(values.runs ?? (smoke ? 1 : 3)),
  };
  const wanted = positionals.map((id) => id.toUpperCase());
  const what = fault(scale, wanted, { source, profile, vs });
  return what === undefined
    ? { kind: "arguments", arguments: { scale, wanted, source, profile, vs } }
    : { kind: "wrong", what };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith("ERR_PARSE_ARGS_") !== true) throw error;
    // What follows is advice about arguments that begin with a dash: none of ours does.
    return message.split(/\.\s/, 1)[0] as string;
  }
}

type Modes = Pick<Arguments, "source" | "profile" | "vs">;

function fault({ factor, runs }: Scale, wanted: readonly string[], { source, profile, vs }: Modes): string | undefined {
  if (!(factor > 0 && factor < Infinity)) return "--scale takes a number above 0";
  if (!Number.isInteger(runs) || runs < 1) return "--runs takes a whole number from 1 on";
  if (profile && vs !== undefined) return "--profile is not for --vs";
  if (source && vs !== undefined) return "--vs compares builds: not with --source";
  const unknown = wanted.filter((id) => !questions.some((question) => question.id === id));
  if (unknown.length === 0) return undefined;
  return `no benchmark ${unknown.join(", ")}; there are ${questions.map(({ id }) => id).join(", ")}`;
}
