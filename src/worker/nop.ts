import { own } from "./own.ts";

/** A map that passes pairs on, for readers whose entries are pairs already (`chainReader`, `netstrReader`). */
export const nopMap = own("nopMap", <P extends readonly [unknown, unknown]>(entry: P): readonly [P] => [entry]);

/** A reduce that passes its pairs on, so that a job only partitions or sorts. */
export const nopReduce = own("nopReduce", <P>(pairs: P): P => pairs);
