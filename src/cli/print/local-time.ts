/** Times as people read them: on their own clock, and how long ago. */

/** `2026-11-23 14:05:09`, in the time zone of who reads it. `at`: milliseconds since 1970. */
export function localTime(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

const units = [
  ["d", 24 * 60 * 60],
  ["h", 60 * 60],
  ["min", 60],
] as const;

/** `12 s`, `5 min`, `3 h`, `4 d`: one unit is enough to find a job again. Clocks may differ: what is to come is `0 s`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [unit, length] of units) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${seconds} s`;
}
