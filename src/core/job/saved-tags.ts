/** Names of the tags that a job leaves, as Disco has them. */

/** Of its results, where they are saved. It outlives the job. */
export function resultsTag(job: string): string {
  return `disco:results:${job}`;
}

/** Of its out-of-band values. It goes with the job. */
export function oobTag(job: string): string {
  return `disco:job:oob:${job}`;
}

/** What clients of Disco show for that tag, as they take `disco:job:oob:NAME` before the `@` for user and token. */
export const oobToken = "job";
