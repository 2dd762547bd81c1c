/**
 * Subjects: names in parts, with dots between them (`node.alpha.assign`). Names of nodes have dots as well, so that they are
 * written as one part: what is not a letter, a digit, `-` or `_` becomes `=` and two hex digits a byte.
 */

/** A name of any kind as one part of a subject. */
export function part(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, (char) =>
    [...Buffer.from(char, "utf8")].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

/** The inverse of `part`. */
export function nameOf(part: string): string {
  return decodeURIComponent(part.replaceAll("=", "%"));
}

/** The last part of a subject. */
export function lastPart(subject: string): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

/** The pattern for all subjects that differ from this one in their last part only. */
export function anyOf(subject: string): string {
  return `${subject.slice(0, subject.lastIndexOf(".") + 1)}*`;
}
