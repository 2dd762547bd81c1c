/** What options take, checked while the command line is parsed. */
import { InvalidArgumentError } from "commander";

/** The longest delay that timers take. */
const secondsMax = 2_147_483;

export function parseWorkers(text: string): number {
  return parseWhole(text, 1, "a whole number from 1 on was expected");
}

export function parseCount(text: string): number {
  return parseWhole(text, 0, "a whole number was expected");
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds >= 0 && seconds <= secondsMax)) {
    throw new InvalidArgumentError(`a number of seconds up to ${secondsMax} was expected.`);
  }
  return seconds;
}

export function parseWhole(text: string, min: number, complaint: string): number {
  const n = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(n) || n < min) throw new InvalidArgumentError(`${complaint}.`);
  return n;
}
