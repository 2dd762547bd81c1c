/** How far the clock of a server is from ours, by the `Date` of its answer, which has whole seconds. */
import type { Answer } from "../http-get.ts";
import { type Finding, ok, warn } from "./finding.ts";

const skewSecondsMax = 5;

export function checkSkew(check: string, answer: Answer, now = Date.now()): Finding[] {
  if (answer.kind !== "answer" || answer.date === null) return [];
  const seconds = Math.round(Math.abs(now - answer.date) / 1000);
  return seconds > skewSecondsMax
    ? [
        warn(
          check,
          `its clock and this one differ by ${seconds} s`,
          "Keep both in step with NTP: times of jobs will look wrong.",
        ),
      ]
    : [ok(check, "its clock and this one agree")];
}
