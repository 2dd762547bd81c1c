/**
 * Makes equal strings the same object. A reader of many blocks whose keys repeat so gives the same objects again and again: a
 * user's `Map` then has their hashes already, and compares pointers.
 */

/** Strings that are kept at most; then it starts anew. */
const stringsMax = 16_384;

export class StringPool {
  readonly #strings = new Map<string, string>();

  same(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size === stringsMax) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }
}
