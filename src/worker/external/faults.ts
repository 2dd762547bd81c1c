/** What can go wrong with an external program, in words: which program it was, what came instead, and what to try. */
import { DataError, DiscoError, type RetryPolicy } from "../../errors.ts";
import { crashSignals } from "../../protocol/crash-signals.ts";
import { copyHint } from "./decoder.ts";
import type { ProgramEnd } from "./program.ts";

const stderrHint =
  "Standard error is a socket: write to descriptor 2 (>&2), and not to /dev/stderr, which cannot be opened.";

const listHint = "A map writes exactly one result list for each entry; one of 0 pairs if there is nothing to say.";

export interface Answers {
  readonly kind: "map" | "reduce";
  /** All input went through the pipe, and its end. */
  readonly tookAll: boolean;
  /** Result lists that came. */
  readonly lists: number;
  /** Entries that were sent; `null`: there would have been more. */
  readonly entries: number | null;
  /** `ListDecoder.unfinished`. */
  readonly unfinished: string | null;
  /** `ListDecoder.copies`. */
  readonly copies: boolean;
}

/** `name` is the program as messages call it: `map (count)`. */
export class ExternalFaults {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** It was never there. */
  start(error: unknown): DiscoError {
    const { code, message } = error as NodeJS.ErrnoException;
    const hints: Readonly<Record<string, string>> = {
      ENOENT: "The interpreter in its first line (#!), or the loader of its format, is missing on the node.",
      EACCES:
        "The disk of the node may be mounted noexec, or the interpreter in its first line (#!) is not executable.",
      ENOEXEC: "Is it a program for another kind of machine?",
    };
    return this.#error("external-start", `cannot be started: ${message}`, {
      retry: "elsewhere",
      hint: hints[code ?? ""],
      cause: error,
    });
  }

  /** What it says itself, by `**<ERR>` or `**<DAT>`. */
  said(kind: "fatal" | "data", text: string): DiscoError {
    const words = text === "" ? "(no reason given)" : text;
    const message = `${this.#name}: ${words}`;
    if (kind === "data") return new DataError(message, { code: "external-data" });
    return new DiscoError(message, { code: "external-error" });
  }

  /** An error of the codec, or of here already, with the program's name. */
  protocol(error: DiscoError): DiscoError {
    const { code, hint, message } = error;
    if (message.startsWith(`${this.#name}: `)) return error;
    return new DiscoError(`${this.#name}: ${message}`, {
      code,
      retry: "here",
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  tooMuchMemory(bytes: number, limitBytes: number): DiscoError {
    const mega = (n: number): string => `${Math.round(n / 2 ** 20)} MB`;
    return this.#error("out-of-memory", `takes ${mega(bytes)} of memory, the limit is ${mega(limitBytes)}`, {
      retry: "elsewhere",
      hint: "Raise memoryLimit, use more partitions, or keep less in memory at once.",
    });
  }

  deaf(lists: number): DiscoError {
    return this.#error("external-protocol", `closed its input before it had read all of it${after(lists)}`, {
      retry: "here",
      hint: "A program reads until its input ends, also if it knows its results before.",
    });
  }

  mute(lists: number): DiscoError {
    return this.#error("external-protocol", `closed its output before it had answered all entries${after(lists)}`, {
      retry: "here",
      hint: listHint,
    });
  }

  tooManyLists(entries: number): DiscoError {
    return this.#error(
      "external-protocol",
      `wrote more result lists than it got entries (${count(entries, "entry")})`,
      {
        retry: "here",
        hint: listHint,
      },
    );
  }

  /** Why this end is a failure; `null`: it is as it should be. */
  end({ code, signal }: ProgramEnd, answers: Answers, lastWords: string): DiscoError | null {
    const { kind, lists, entries, unfinished, tookAll } = answers;
    const words = lastWords === "" ? "" : `; its last words:\n${lastWords}`;
    const opensStderr = lastWords.includes("/dev/stderr");
    if (signal !== null) {
      const isCrash = crashSignals.has(signal);
      return this.#error("external-signal", `was ended by ${signal}${after(lists)}${words}`, {
        retry: "elsewhere",
        hint: isCrash ? "The program crashed." : "Somebody killed it: the system, if memory ran short.",
      });
    }
    if (code !== 0)
      return this.#error("external-exit", `exited with code ${code}${after(lists)}${words}`, {
        retry: "here",
        hint: opensStderr ? stderrHint : undefined,
      });
    if (unfinished !== null) {
      return this.#error("external-protocol", `exited ${unfinished}${words}`, {
        retry: "here",
        hint: opensStderr ? stderrHint : answers.copies ? copyHint : "Does it flush its output before it exits?",
      });
    }
    if (!tookAll) {
      return this.#error("external-exit", `exited before it had read all its input${after(lists)}${words}`, {
        retry: "here",
        hint: "A program reads until its input ends, also if it knows its results before.",
      });
    }
    if (kind === "reduce" || lists === entries) return null;
    const wrote = `exited after ${count(lists, "result list")} for ${count(entries ?? 0, "entry")}${words}`;
    return this.#error("external-protocol", wrote, {
      retry: "here",
      hint: listHint,
    });
  }

  #error(
    code: string,
    what: string,
    more: { readonly retry: RetryPolicy; readonly hint?: string | undefined; readonly cause?: unknown },
  ): DiscoError {
    const { retry, hint, cause } = more;
    return new DiscoError(`${this.#name}: the external program ${what}`, {
      code,
      retry,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function after(lists: number): string {
  return lists === 0 ? "" : ` after ${count(lists, "result list")}`;
}

function count(n: number, what: string): string {
  const plural = what.endsWith("y") ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${n.toLocaleString("en-US")} ${n === 1 ? what : plural}`;
}
