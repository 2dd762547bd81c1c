/** Names and values. */
import { element, setText } from "./dom.ts";
import { KeyedList } from "./keyed-list.ts";

type Fact = readonly [name: string, value: string];
const lists = new WeakMap<HTMLElement, KeyedList<Fact>>();

export function showFacts(parent: HTMLDListElement, facts: readonly Fact[]): void {
  let list = lists.get(parent);
  if (list === undefined) {
    list = new KeyedList<Fact>(
      parent,
      ([name]) => name,
      ([name]) => {
        const value = element("dd");
        return { node: element("div", {}, element("dt", {}, name), value), update: ([, text]) => setText(value, text) };
      },
    );
    lists.set(parent, list);
  }
  list.show(facts);
}
