/** The options of `Disco` and of its methods. */
import type { MasterAddress } from "./address.ts";
import { badOption, checkNames, checkValues } from "./bad-option.ts";
import { anObject, type Check, functionCheck, integer, oneOf, shown, stringRecord } from "./option-checks.ts";
import { tokenOfEnvironment } from "./script-settings.ts";

export interface DiscoOptions {
  /** Directory of the embedded engine: journal, job files and results. Default: `DISCO_ROOT`, `$XDG_DATA_HOME/disco`, `~/.local/share/disco`. */
  readonly root?: string;
  /** Worker processes at once. Default: the number of processors. */
  readonly workers?: number;
  /** What the engine remembers of its jobs: `sqlite` (in the root) or `memory`. Default: sqlite. */
  readonly journal?: "sqlite" | "memory";
  /** Labels of the embedded node, for jobs that ask for them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What a master elsewhere asks for. Default: `DISCO_TOKEN`, or what stands in the file that `DISCO_TOKEN_FILE` names. */
  readonly token?: string;
  /**
   * Seconds for which a master elsewhere that does not answer (any more) is asked again; 0: not at all. Default: `DISCO_RETRY_SECONDS`, else 120.
   * One that never answered is given up after a few.
   */
  readonly retrySeconds?: number;
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
const retrySecondsMax = 24 * 3600;
const retrySecondsExpected = `a number of seconds from 0 to ${retrySecondsMax}`;

/** Goes into a header, so that it is never quoted in a message. */
const tokenCheck: Check = (value) =>
  typeof value === "string" && /^[\x21-\x7e]{1,1000}$/.test(value) ? null : "a token of visible characters";

const checks: Readonly<Record<keyof DiscoOptions, Check>> = {
  root: (value) => (typeof value === "string" && !value.includes("\0") ? null : "the path of a directory"),
  workers: integer(1, workersMax),
  journal: oneOf("sqlite", "memory"),
  labels: stringRecord,
  token: tokenCheck,
  retrySeconds: (value) => (isSeconds(value) ? null : retrySecondsExpected),
  onSubmit: functionCheck,
};

/** Options that mean something for the engine in this process only. */
const embeddedOnly = ["root", "workers", "journal", "labels"] as const;
const remoteOnly = ["token", "retrySeconds"] as const;

/** Throws `JobError` `unknown-option` or `bad-option`. */
export function checkDiscoOptions(options: DiscoOptions, master: MasterAddress | null): void {
  if (anObject(options) !== null)
    throw badOption(`new Disco: an object of options was expected, not ${shown(options)}`);
  checkNames(options, checks, "", () => undefined);
  const { token, ...others } = options;
  if (token !== undefined && tokenCheck(token) !== null) throw badOption(`token: ${tokenCheck(token)} was expected`);
  checkValues(others, checks, "");
  const odd = (master === null ? remoteOnly : embeddedOnly).find((name) => options[name] !== undefined);
  if (odd === undefined) return;
  if (master === null) {
    throw badOption(
      `${odd}: there is no master elsewhere, jobs run in this process`,
      "Give the master's address: new Disco(address, options), or DISCO_MASTER.",
    );
  }
  throw badOption(
    `${odd}: only for the engine in this process, and the master is ${master.shown}`,
    `Leave ${odd} out; what the master works with is said where it is started (disco start).`,
  );
}

/** What the environment says where the options say nothing. Throws `JobError` `bad-option`, `DiscoError` `bad-setting`. */
export function remoteOptions(
  { token, retrySeconds }: DiscoOptions,
  masters: readonly string[],
): { token?: string; retrySeconds?: number } {
  const { DISCO_RETRY_SECONDS = "" } = process.env;
  const usedToken = token ?? tokenOfEnvironment(masters);
  if (usedToken !== undefined && tokenCheck(usedToken) !== null) {
    throw badOption(`DISCO_TOKEN: ${tokenCheck(usedToken)} was expected`);
  }
  const seconds = retrySeconds ?? (DISCO_RETRY_SECONDS === "" ? undefined : Number(DISCO_RETRY_SECONDS));
  if (seconds !== undefined && !isSeconds(seconds)) {
    throw badOption(`DISCO_RETRY_SECONDS: ${retrySecondsExpected} was expected, not ${shown(DISCO_RETRY_SECONDS)}`);
  }
  return {
    ...(usedToken === undefined ? {} : { token: usedToken }),
    ...(seconds === undefined ? {} : { retrySeconds: seconds }),
  };
}

function isSeconds(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= retrySecondsMax;
}
