/**
 * Who is next of many, as their keys change: a heap that knows where each of its members lies, so that one is moved in O(log members).
 *
 * With ten thousand members the comparisons are what costs, and of those the way to each member's own memory. So members are small
 * numbers, and all that is known of them lies in arrays: keys and ranks beside the heap, where each place has four below it, which
 * are read from one or two lines of the processor's cache. A member moves through a hole, by one write a level.
 */

const fanOut = 4;

/** Not in the heap. */
const nowhere = -1;

export class Turns {
  readonly #members: number[] = [];
  readonly #keys: number[] = [];
  readonly #ranks: number[] = [];
  /** By member: its index in the heap. */
  readonly #places: number[] = [];

  get size(): number {
    return this.#members.length;
  }

  has(member: number): boolean {
    return (this.#places[member] ?? nowhere) !== nowhere;
  }

  /** The member with the smallest key, of equal keys that with the lowest rank; -1: there is none. */
  first(): number {
    return this.#members[0] ?? -1;
  }

  /**
   * Enters the member, or moves it to where its key belongs now.
   *
   * @param member a number that nobody else has: the room that is taken grows with the largest
   * @param rank unique among the members; the same as long as the member is in
   */
  put(member: number, rank: number, key: number): void {
    while (this.#places.length <= member) this.#places.push(nowhere);
    const place = this.#places[member] as number;
    if (place === nowhere) this.#rise(this.#members.length, member, rank, key);
    else this.#settle(place, member, rank, key);
  }

  /** Does nothing to one that is not in it. */
  delete(member: number): void {
    const place = this.#places[member] ?? nowhere;
    if (place === nowhere) return;
    this.#places[member] = nowhere;
    const last = this.#members.pop() as number;
    const key = this.#keys.pop() as number;
    const rank = this.#ranks.pop() as number;
    if (last !== member) this.#settle(place, last, rank, key);
  }

  /** Gives every member the key that it has now: O(members). */
  rekey(keyOf: (member: number) => number): void {
    const members = this.#members;
    for (let place = 0; place < members.length; place++) this.#keys[place] = keyOf(members[place] as number);
    for (let place = Math.floor((members.length - 2) / fanOut); place >= 0; place--) {
      this.#sink(place, members[place] as number, this.#ranks[place] as number, this.#keys[place] as number);
    }
  }

  #settle(place: number, member: number, rank: number, key: number): void {
    const above = (place - 1) >> 2;
    if (place > 0 && this.#isAfter(above, key, rank)) this.#rise(place, member, rank, key);
    else this.#sink(place, member, rank, key);
  }

  /** From a hole up to where it belongs. */
  #rise(from: number, member: number, rank: number, key: number): void {
    let hole = from;
    while (hole > 0) {
      const above = (hole - 1) >> 2;
      if (!this.#isAfter(above, key, rank)) break;
      this.#move(above, hole);
      hole = above;
    }
    this.#set(hole, member, rank, key);
  }

  /** From a hole down to where it belongs. */
  #sink(from: number, member: number, rank: number, key: number): void {
    const size = this.#members.length;
    let hole = from;
    for (;;) {
      const lowest = hole * fanOut + 1;
      const end = Math.min(lowest + fanOut, size);
      let next = lowest;
      for (let place = lowest + 1; place < end; place++) {
        if (this.#isAfter(next, this.#keys[place] as number, this.#ranks[place] as number)) next = place;
      }
      if (next >= size || this.#isAfter(next, key, rank)) break;
      this.#move(next, hole);
      hole = next;
    }
    this.#set(hole, member, rank, key);
  }

  /** Whether what lies there comes after one with this key and rank. */
  #isAfter(place: number, key: number, rank: number): boolean {
    const other = this.#keys[place] as number;
    return other === key ? (this.#ranks[place] as number) > rank : other > key;
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#members[from] as number, this.#ranks[from] as number, this.#keys[from] as number);
  }

  #set(place: number, member: number, rank: number, key: number): void {
    this.#places[member] = place;
    this.#members[place] = member;
    this.#keys[place] = key;
    this.#ranks[place] = rank;
  }
}
