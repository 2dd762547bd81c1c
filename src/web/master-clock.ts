/** The master's clock, as its answers show it: ages would be wrong on a machine whose own clock is. */
/** The header has whole seconds: a difference that small is none. */
const coarseMs = 3_000;
let aheadMs = 0;

export function hearClock(date: string | null): void {
  const at = Date.parse(date ?? "");
  if (!Number.isFinite(at)) return;
  const difference = at - Date.now();
  aheadMs = Math.abs(difference) < coarseMs ? 0 : difference;
}

/** Milliseconds since 1970. */
export function masterNow(): number {
  return Date.now() + aheadMs;
}
