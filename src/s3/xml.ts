/**
 * What S3 sends as XML: flat lists of elements without attributes that matter, so that a few patterns read it. What is not understood
 * is missing, never something else.
 */

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The text of the first element of that name; `null`: there is none. */
export function textOf(xml: string, name: string): string | null {
  const [, text] = new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`).exec(xml) ?? [];
  return text === undefined ? null : unescaped(text);
}

/** The insides of all elements of that name, which do not contain one another. */
export function* elementsOf(xml: string, name: string): Generator<string, void, undefined> {
  for (const [, inside = ""] of xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, "gs"))) yield inside;
}

export function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name as string] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return point <= 0x10_ffff ? String.fromCodePoint(point) : (whole as string);
  });
}
