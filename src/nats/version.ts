/** Versions of servers. */
import { DiscoError } from "../errors.ts";

/**
 * The oldest release that is taken without being asked for. Releases of 2.9 below .21 decide wrongly who won a conditional write
 * by subject; those below .22 can diverge between replicas after hard stops. What Disco uses was measured to be right on
 * 2.9.10 too (it compares by sequence of the stream alone), so that one may insist.
 */
export const oldestServer = "2.9.22";

/** @throws DiscoError `engine-too-old` */
export function checkServerVersion(version: string, allowOld: boolean): void {
  if (allowOld || !isOlder(version, oldestServer)) return;
  throw new DiscoError(`nats-server ${version} is older than ${oldestServer}, the oldest that is supported`, {
    code: "engine-too-old",
    hint: `Install nats-server ${oldestServer} or newer, or insist with --allow-old-engine.`,
  });
}

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  for (const [index, number] of b.entries()) {
    const difference = (a[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  // A release candidate comes before its release.
  return version.includes("-") && !than.includes("-");
}

function numbersOf(version: string): number[] {
  return (version.split("-")[0] ?? "").split(".").map((part) => Number.parseInt(part, 10) || 0);
}
