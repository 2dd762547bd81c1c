/** Amounts with a unit: bytes (`64MiB`) and times (`7d`). A bare number is bytes or seconds, as in Disco. */
import { numberOf, type ValueType } from "./value-type.ts";

const bytesOfUnit: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const secondsOfUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** A thousand years: what is longer was meant as `never`. */
const secondsMax = 1000 * 366 * 86_400;

/** Whole bytes, at least `min`. */
export function byteSize(min: number, max: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  return {
    expects: `a number of bytes ${range}, such as 64MiB, 1GiB, 500MB or 1048576`,
    read: (raw) => {
      const bytes = inUnits(raw, /^([\d.]+)\s*([kmgt]i?b|b)$/i, bytesOfUnit);
      return bytes !== null && Number.isSafeInteger(Math.round(bytes)) && bytes >= min && bytes <= max
        ? { value: Math.round(bytes) }
        : null;
    },
    show: showBytes,
  };
}

/** Seconds; not negative. */
export const duration: ValueType<number> = {
  expects: "a time such as 90s, 30m, 12h, 7d, 2w, or a number of seconds",
  read: readDuration,
  show: showDuration,
};

/** Seconds, or `null` for `never`. */
export const durationOrNever: ValueType<number | null> = {
  expects: "never, or a time such as 12h, 7d, 2w, or a number of seconds",
  read: (raw) => (raw === "never" ? { value: null } : readDuration(raw)),
  show: (value) => (value === null ? "never" : showDuration(value)),
};

function readDuration(raw: unknown): { value: number } | null {
  const seconds = inUnits(raw, /^([\d.]+)\s*([smhdw])$/i, secondsOfUnit);
  return seconds !== null && seconds >= 0 && seconds <= secondsMax ? { value: seconds } : null;
}

function inUnits(raw: unknown, pattern: RegExp, units: Readonly<Record<string, number>>): number | null {
  const bare = numberOf(raw);
  if (bare !== null) return bare;
  const [, amount = "", unit = ""] = (typeof raw === "string" && pattern.exec(raw.trim())) || [];
  const number = numberOf(amount);
  const factor = units[unit.toLowerCase()];
  return number === null || factor === undefined ? null : number * factor;
}

/** The largest unit that divides it; what is read back is the same number. */
function showBytes(bytes: number): string {
  for (const [unit, name] of [
    [2 ** 40, "TiB"],
    [2 ** 30, "GiB"],
    [2 ** 20, "MiB"],
    [2 ** 10, "KiB"],
  ] as const) {
    if (bytes > 0 && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return String(bytes);
}

function showDuration(seconds: number): string {
  for (const unit of ["d", "h", "m"] as const) {
    const length = secondsOfUnit[unit] as number;
    if (seconds > 0 && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${seconds}s`;
}
