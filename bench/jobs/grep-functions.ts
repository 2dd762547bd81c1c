/** The functions that both the job and the hand-written script of P4 run: a list of pairs for each line, or a generator of them. */

export interface GrepParams {
  readonly pattern: RegExp;
}

export function matching(line: string, { pattern }: GrepParams): [string, number][] {
  return pattern.test(line) ? [[line, 1]] : [];
}

export function* yieldMatching(line: string, { pattern }: GrepParams): Generator<[string, number]> {
  if (pattern.test(line)) yield [line, 1];
}
