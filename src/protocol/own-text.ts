/** Strings up to this length are never slices. */
const wholeUnitsMax = 12;

/** The same string in memory of its own: one that was cut out of a text keeps all of that text alive. */
export function ownText(text: string): string {
  if (text.length <= wholeUnitsMax) return text;
  const narrow = Buffer.from(text, "latin1").toString("latin1");
  return narrow === text ? narrow : Buffer.from(text, "utf16le").toString("utf16le");
}
