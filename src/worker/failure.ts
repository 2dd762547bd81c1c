/** From what was thrown in a task to the failure that is reported. */
import { inspect } from "node:util";
import { DiscoError, type RetryPolicy, type TaskFailure } from "../errors.ts";

/** Longer messages would only fill the journal. */
const messageCharsMax = 16 * 1024;

export interface TranslatedStack {
  readonly stack?: string | undefined;
  readonly location?: TaskFailure["location"] | undefined;
  readonly frame?: string | undefined;
}

/** `translate` gives stacks the user's own files and lines (shipping). `url`: the input that was being read. */
export function taskFailure(
  thrown: unknown,
  translate: (error: unknown) => TranslatedStack,
  url: string | null,
): TaskFailure {
  let translated: TranslatedStack = {};
  try {
    translated = translate(thrown);
  } catch {
    // A failure without a stack is better than none.
  }
  const policy = policyOf(thrown);
  const named = thrown instanceof Error ? String(thrown.name || "Error") : typeof thrown;
  const text =
    thrown instanceof Error ? String(thrown.message) : `a value that is no Error was thrown: ${inspect(thrown)}`;
  const at = policy.url ?? url ?? undefined;
  const { stack, location, frame } = translated;
  return {
    code: policy.code,
    name: named,
    message: text.length > messageCharsMax ? `${text.slice(0, messageCharsMax)}…` : text,
    retry: policy.retry,
    ...(stack === undefined ? {} : { stack }),
    ...(location === undefined ? {} : { location }),
    ...(frame === undefined ? {} : { frame }),
    ...(policy.hint === undefined ? {} : { hint: policy.hint }),
    ...(at === undefined ? {} : { url: at }),
  };
}

interface Policy {
  readonly code: string;
  readonly retry: RetryPolicy;
  readonly hint?: string | undefined;
  readonly url?: string | undefined;
}

const retries: ReadonlySet<unknown> = new Set(["here", "elsewhere", "never"]);

function policyOf(thrown: unknown): Policy {
  // By shape as well as by class: the user's module may have another copy of this package.
  if (thrown instanceof DiscoError) return thrown;
  if (thrown instanceof Error && isCoded(thrown)) {
    const { code, retry, hint, url } = thrown;
    return { code, retry, hint: textOf(hint), url: textOf(url) };
  }
  if ((thrown as NodeJS.ErrnoException | null)?.code === "ENOSPC") return { code: "disk-full", retry: "elsewhere" };
  return { code: "user-error", retry: "here" };
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function isCoded(error: Error): error is Error & Policy {
  const { code, retry } = error as Partial<Policy>;
  return typeof code === "string" && retries.has(retry);
}
