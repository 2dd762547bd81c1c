/** Tiny tasks come thousands a second; asking the system each time would be a tenth of their cost. */
const rssIntervalMs = 50;
let rssAt = Number.NEGATIVE_INFINITY;
let rssBytes = 0;

/** Peak resident memory of this process, in bytes. */
export function peakRss(): number {
  const now = performance.now();
  if (now - rssAt >= rssIntervalMs) {
    rssAt = now;
    rssBytes = process.resourceUsage().maxRSS * 1024;
  }
  return rssBytes;
}
