/**
 * From what a user gives as `input` to a flat list of inputs, each a list of replicas that are strings. Jobs are waited for,
 * lists of results are joined; nothing is read yet.
 */
import { JobError } from "../errors.ts";
import { isJob } from "./job-mark.ts";
import { jobname } from "./job-name.ts";
import { shown } from "./option-checks.ts";
import { isResults } from "./results.ts";

/** One input: addresses with the same data, and its index in the option; `null` where the option itself is the input. */
export interface Replicas {
  readonly at: number | null;
  readonly addresses: readonly string[];
}

/** The input's place for error messages. Made when it is needed: a job may have 100,000 inputs. */
export function placeOf(at: number | null): string {
  return at === null ? "input" : `input[${at}]`;
}

/** Throws `JobError` `bad-input`. */
export async function listInputs(input: unknown): Promise<Replicas[]> {
  if (isJob(input)) return listInputs(await input.wait());
  if (!Array.isArray(input)) return [{ at: null, addresses: [address(input, null)] }];
  const inputs: Replicas[] = [];
  for (const [i, item] of input.entries()) {
    if (isJob(item)) inputs.push(...(await listInputs(item)));
    else if (isResults(item)) inputs.push(...(await listInputs([...item])));
    else if (Array.isArray(item)) inputs.push({ at: i, addresses: replicaList(item, placeOf(i)) });
    else inputs.push({ at: i, addresses: [address(item, i)] });
  }
  if (inputs.length === 0) {
    const hint = isResults(input) ? "The job before wrote no results: its functions emitted nothing." : undefined;
    throw badInput(
      "input is an empty list: the job has nothing to read",
      hint ?? "Give at least one address, path or glob.",
    );
  }
  return inputs;
}

function replicaList(list: readonly unknown[], place: string): string[] {
  if (list.length === 0) throw badInput(`${place} is an empty list of replicas`, "Give at least one address.");
  const addresses = list.map((item, i) => address(item, `${place}[${i}]`));
  const jobs = addresses.map((url) => (url.startsWith("dir://") ? jobname(url) : null));
  if (addresses.length > 1 && jobs[0] !== null && jobs.every((job) => job === jobs[0])) {
    throw badInput(
      `${place} is a list of ${addresses.length} results of one job; a list in the list means replicas of the same data`,
      "Spread the results: input: [...a, ...b].",
    );
  }
  return addresses;
}

function address(value: unknown, place: string | number | null): string {
  if (value instanceof URL) return value.href;
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return value;
  const where = typeof place === "string" ? place : placeOf(place);
  throw badInput(`${where}: an address, a path or a list of such was expected, not ${shown(value)}`);
}

export function badInput(message: string, hint?: string, code = "bad-input"): JobError {
  return new JobError(message, { code, ...(hint === undefined ? {} : { hint }) });
}
