/** What a check of `disco doctor` found. */

export interface Finding {
  /** What was looked at: stable, for programs. */
  readonly check: string;
  readonly state: "ok" | "warn" | "fail";
  /** For people; a sentence or a few words, without an end. */
  readonly message: string;
  /** What to do; `null` where all is well. */
  readonly hint: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message, hint: null };
}

/** It works, but not as somebody probably meant it, or not for long. */
export function warn(check: string, message: string, hint: string): Finding {
  return { check, state: "warn", message, hint };
}

/** Something does not work. */
export function fail(check: string, message: string, hint: string): Finding {
  return { check, state: "fail", message, hint };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
