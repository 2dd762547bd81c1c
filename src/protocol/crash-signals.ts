/** Signals that a program gets by its own doing; all others are sent by somebody. */
export const crashSignals: ReadonlySet<string> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
  "SIGSTKFLT",
  "SIGIOT",
]);
