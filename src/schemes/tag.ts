import { DataError } from "../errors.ts";
import type { Scheme } from "./scheme.ts";

/** A tag names blobs, and only a master knows which: who submits a job, or reads results, has asked it. */
export const tagScheme: Scheme = {
  open(url) {
    throw new DataError(`${url}: a tag is not read where tasks run, but expanded where the job is submitted`, {
      code: "bad-url",
      retry: "never",
      url,
      hint: "Give it as an input of the job, or to resultIterator.",
    });
  },
};
