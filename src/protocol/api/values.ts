/** Values that several resources have: names, numbers, times. Limits are those of the master. */
import * as v from "valibot";

export const noParameters = v.strictObject({});

/** A unique name, as the master makes it: `wordcount@5f2:1a3:c0`. */
export const jobName = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9_@:]{1,200}$/, "the name of a job: 1 to 200 characters of a-z, A-Z, 0-9, _, @ and :"),
  v.description("Unique name of a job."),
);

export const nodeName = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9._:-]{1,253}$/, "the name of a node: 1 to 253 characters of a-z, A-Z, 0-9, ., _, : and -"),
  v.description("Name of a node."),
);

export const stageName = v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.description("Name of a stage."));

export const oobKey = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9_:@-]{1,256}$/, "a key: 1 to 256 characters of a-z, A-Z, 0-9, _, -, : and @"),
  v.description("Key of an out-of-band value."),
);

export const jobStatus = v.picklist(["active", "ready", "dead"]);

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Milliseconds since 1970. */
export const time = v.pipe(v.number(), v.description("Milliseconds since 1970."));

export const labels = v.record(v.string(), v.string());

export const jobParams = v.strictObject({ name: jobName });
export const nodeParams = v.strictObject({ name: nodeName });

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
}
