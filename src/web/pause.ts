/** How long to wait before asking again. */
const firstMs = 400;
const longestMs = 5_000;

/** After so many failures in a row. `random` (0 to 1) keeps the tabs of many people from asking all at once. */
export function pauseMs(failures: number, random: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** failures);
  return full / 2 + (full / 2) * random;
}
