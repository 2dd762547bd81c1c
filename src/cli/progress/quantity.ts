/** Amounts as people read them: `1,234`, `5.6 MB`, `2m 03s`. Decimal units; a rate is an amount a second. */

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

export function formatCount(n: number): string {
  return groupDigits(Math.round(n));
}

/** `1234567` as `1,234,567`. Not `toLocaleString`: its first call loads the data of all languages, 50 ms. */
export function groupDigits(n: number | bigint): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.5 && unit < byteUnits.length - 1) {
    amount /= 1000;
    unit++;
  }
  const digits = unit > 0 && amount < 99.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${byteUnits[unit]}`;
}

/** Below this a rate says nothing: so little was read, or so slowly, that starting took most of the time. */
const rateShownMin = 100_000;

export function isRateWorthShowing(bytesPerSecond: number): boolean {
  return bytesPerSecond >= rateShownMin;
}

/** Always in MB/s, so that two rates can be compared at a glance. */
export function formatRate(bytesPerSecond: number): string {
  const megabytes = bytesPerSecond / 1e6;
  return `${megabytes.toFixed(megabytes < 99.95 ? 1 : 0)} MB/s`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}h ${String(minutes).padStart(2, "0")}m` : `${minutes}m ${rest}s`;
}

/** An estimate, so in whole seconds. */
export function formatRemaining(seconds: number): string {
  return seconds < 59.5 ? `${Math.max(1, Math.round(seconds))} s left` : `${formatSeconds(seconds)} left`;
}
