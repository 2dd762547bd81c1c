/** P5: the trivial job as `disco run` takes it. */
export default {
  input: ["raw://hello"],
  map: (text: string) => [[text, 1]] as const,
  *reduce(pairs: Iterable<readonly [string, number]>) {
    yield* pairs;
  },
};
