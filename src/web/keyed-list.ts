/** Rows that follow a list: each item keeps its row while the list changes, and with it focus, selection and what was typed. */
export interface Row<T> {
  readonly node: HTMLElement;
  update(item: T): void;
}

export class KeyedList<T> {
  readonly #parent: HTMLElement;
  readonly #keyOf: (item: T) => string;
  readonly #make: (item: T) => Row<T>;
  #rows = new Map<string, Row<T>>();

  constructor(parent: HTMLElement, keyOf: (item: T) => string, make: (item: T) => Row<T>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  show(items: readonly T[]): void {
    const rows = new Map<string, Row<T>>();
    for (const item of items) {
      const key = this.#keyOf(item);
      const row = this.#rows.get(key) ?? this.#make(item);
      row.update(item);
      rows.set(key, row);
    }
    for (const [key, row] of this.#rows) if (!rows.has(key)) row.node.remove();
    let at = this.#parent.firstElementChild;
    for (const { node } of rows.values()) {
      if (node === at) at = at.nextElementSibling;
      else this.#parent.insertBefore(node, at);
    }
    this.#rows = rows;
  }
}
