/**
 * Joins two files by a column: each customer's orders. Rows of both files meet in the reduce because they have one key.
 * Customers without orders and orders of unknown customers stay (a full outer join).
 *
 *     npx disco run examples/join.ts
 */
import { csvReader, JobDict, kvgroup } from "disco-mapreduce";

const data = `${import.meta.dirname}/data`;

interface Half {
  readonly name?: string | undefined;
  readonly article?: string | undefined;
}

export default new JobDict({
  input: [`${data}/customers.csv`, `${data}/orders.csv`],
  mapReader: csvReader({ header: true }),
  map: (row) => {
    const half: Half = { name: row["name"], article: row["article"] };
    return [[row["customer"] ?? row["buyer"] ?? "", half] as const];
  },
  *reduce(pairs) {
    for (const [id, halves] of kvgroup(pairs)) {
      let name = `customer ${id}`;
      const articles: string[] = [];
      for (const half of halves) {
        if (half.name !== undefined) name = half.name;
        if (half.article !== undefined) articles.push(half.article);
      }
      yield [name, articles.sort()] as const;
    }
  },
  sort: true,
  partitions: 2,
});
