/**
 * Unique names of jobs, as Disco makes them: `PREFIX@megaseconds:seconds:microseconds`, in hex, without padding. The time
 * is that of submission, pushed on by a microsecond where two jobs would meet.
 */

const unique = /^[a-zA-Z0-9_]{1,100}@([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)$/;

/** `micros`: microseconds since 1970, at most 2**53. */
export function nameJob(prefix: string, micros: number): string {
  const mega = Math.floor(micros / 1e12);
  const seconds = Math.floor(micros / 1e6) % 1e6;
  return `${prefix}@${mega.toString(16)}:${seconds.toString(16)}:${(micros % 1e6).toString(16)}`;
}

/** The microseconds in a name that `nameJob` made, `null` for any other string. */
export function microsOf(name: string): number | null {
  const parts = unique.exec(name);
  if (parts === null) return null;
  const [mega, seconds, micros] = parts.slice(1).map((hex) => Number.parseInt(hex, 16));
  return (mega as number) * 1e12 + (seconds as number) * 1e6 + (micros as number);
}
