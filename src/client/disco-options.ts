/** The options of `Disco` and of its methods. */
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import { anObject, type Check, functionCheck, integer, oneOf, shown, stringRecord } from "./option-checks.ts";

export interface DiscoOptions {
  /** Directory of the embedded engine: journal, job files and results. Default: `DISCO_ROOT`, `$XDG_DATA_HOME/disco`, `~/.local/share/disco`. */
  readonly root?: string;
  /** Worker processes at once. Default: the number of processors. */
  readonly workers?: number;
  /** What the engine remembers of its jobs: `sqlite` (in the root) or `memory`. Default: sqlite. */
  readonly journal?: "sqlite" | "memory";
  /** Labels of the embedded node, for jobs that ask for them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Called with the name of each job that this object starts. */
  readonly onSubmit?: (name: string) => void;
}

export interface ResultsOptions {
  /** How long to wait for results, in milliseconds. Default: 2000. */
  readonly timeout?: number;
}

export interface EventsOptions {
  /** `false`: only what has happened so far. Default: true, until the job has ended. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  /** Sent as the body of a POST. */
  readonly data?: string | Uint8Array;
  /** Where in the reply to begin, in bytes. */
  readonly offset?: number;
}

const workersMax = 1024;

const checks: Readonly<Record<keyof DiscoOptions, Check>> = {
  root: (value) => (typeof value === "string" && !value.includes("\0") ? null : "the path of a directory"),
  workers: integer(1, workersMax),
  journal: oneOf("sqlite", "memory"),
  labels: stringRecord,
  onSubmit: functionCheck,
};

/** Throws `JobError` `unknown-option` or `bad-option`. */
export function checkDiscoOptions(options: DiscoOptions): void {
  if (anObject(options) !== null)
    throw badOption(`new Disco: an object of options was expected, not ${shown(options)}`);
  checkNames(options, checks, "", () => undefined);
  checkValues(options, checks, "");
}
