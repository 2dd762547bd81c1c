/**
 * Makes equal strings the same object. A reader of many blocks whose keys repeat so gives the same objects again and again: a
 * user's `Map` then has their hashes already, and compares pointers.
 *
 * Strings of a block are slices, which keep its whole text alive. Where few of a text's strings are new they are copied, so that the
 * pool holds a few times what its strings take, and not a text for each.
 */
import { ownText } from "./own-text.ts";

/** Strings that are kept at most; then it starts anew. */
const stringsMax = 16_384;
/** Less than this share of a text is copied. */
const copiedShare = 1 / 4;

export class StringPool {
  readonly #strings = new Map<string, string>();

  /** Replaces the strings of one text by those that are known, and remembers the others. */
  share(strings: string[]): void {
    const known = this.#strings;
    const added: number[] = [];
    let units = 0;
    let addedUnits = 0;
    for (const [i, text] of strings.entries()) {
      const same = known.get(text);
      units += text.length;
      if (same !== undefined) strings[i] = same;
      else {
        added.push(i);
        addedUnits += text.length;
      }
    }
    const copies = addedUnits < units * copiedShare;
    for (const i of added) {
      const text = strings[i] as string;
      const kept = copies ? ownText(text) : text;
      strings[i] = kept;
      if (known.size === stringsMax) known.clear();
      known.set(kept, kept);
    }
  }
}
