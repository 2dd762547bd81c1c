/** A seeded generator (sfc32): tasks draw the same numbers in each attempt, so that their output is the same. */
export function seededRandom(seed: number, stage: number, task: number): () => number {
  let a = seed | 0;
  let b = Math.imul(stage + 1, 0x9e3779b1);
  let c = Math.imul(task + 1, 0x85ebca6b);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  // The first numbers still show the seed.
  for (let i = 0; i < 12; i++) next();
  return next;
}
