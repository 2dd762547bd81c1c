/**
 * Clusters points around k centers: a loop of jobs. Each round gives every point to its nearest center (map) and moves the
 * centers to the middle of their points (reduce), until none moves any more. The centers travel as `params`.
 *
 *     npx disco run examples/k-means.ts --params k=3
 */
import { kvgroup, type Results, type RunContext, resultIterator } from "disco-mapreduce";

type Point = readonly [x: number, y: number];

const roundsMax = 30;
const closeEnough = 1e-6;

export default async function kMeans({ disco, params }: RunContext): Promise<Results<number, Point>> {
  const k = Number(params["k"] ?? 3);
  // Somewhere, well apart, in the square of 10 by 10 where the points lie.
  let centers: Point[] = Array.from({ length: k }, (_, i) => [(10 * i) / k, (10 * ((2 * i) % k)) / k]);
  for (let round = 0; ; round++) {
    const job = await disco.newJob("k_means", {
      input: [`${import.meta.dirname}/data/points.csv`],
      params: { centers },
      map: (line, { centers }) => {
        const point = parsePoint(line);
        return [[nearest(point, centers), [...point, 1]] as const];
      },
      *reduce(pairs) {
        for (const [center, points] of kvgroup(pairs)) {
          let [sumX, sumY, count] = [0, 0, 0];
          for (const [x = 0, y = 0, n = 0] of points) [sumX, sumY, count] = [sumX + x, sumY + y, count + n];
          yield [center, [sumX / count, sumY / count] as Point] as const;
        }
      },
      sort: true,
    });
    const results = await job.wait();
    const moved = [...centers];
    for await (const [center, point] of resultIterator(results)) moved[center] = point;
    const far = Math.max(...moved.map((point, i) => distance(point, centers[i] ?? point)));
    centers = moved;
    if (far < closeEnough || round === roundsMax) return results;
    await job.purge();
  }
}

function parsePoint(line: string): Point {
  const [x = 0, y = 0] = line.split(",").map(Number);
  return [x, y];
}

function nearest(point: Point, centers: readonly Point[]): number {
  const distances = centers.map((center) => distance(point, center));
  return distances.indexOf(Math.min(...distances));
}

function distance([x1, y1]: Point, [x2, y2]: Point): number {
  return Math.hypot(x1 - x2, y1 - y2);
}
