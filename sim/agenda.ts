/** What is to happen when, in simulated time. Things of the same moment happen in the order in which they were planned. */
export class Agenda {
  now = 1_700_000_000_000;
  readonly #heap: Item[] = [];
  #planned = 0;

  /** Plans something for `delayMs` from now. */
  after(delayMs: number, act: () => void): void {
    this.#push({ at: this.now + delayMs, order: this.#planned++, act });
  }

  /** Lets the next thing happen; `false`: nothing is planned. */
  step(): boolean {
    const item = this.#pop();
    if (item === undefined) return false;
    this.now = item.at;
    item.act();
    return true;
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, heap[parent] as Item)) break;
      heap[at] = heap[parent] as Item;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): Item | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child = right < heap.length && before(heap[right] as Item, heap[left] as Item) ? right : left;
      if (!before(heap[child] as Item, last)) break;
      heap[at] = heap[child] as Item;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

interface Item {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

function before(a: Item, b: Item): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
