/** The functions that both the job and the hand-written script of P1 and P2 run. */

export function* words(line: string): Generator<[string, number]> {
  for (const word of line.split(" ")) if (word !== "") yield [word, 1];
}

export function addUp(word: string, n: number, counts: Map<string, number>): void {
  counts.set(word, (counts.get(word) ?? 0) + n);
}
