/**
 * Who is next of many, as their keys change: a heap that knows where each of its members lies, so that one is moved in O(log members).
 *
 * With ten thousand members the comparisons are what costs, and of those the way to each member's own memory. So keys and ranks lie in
 * two arrays beside the heap, and each place has four below it, which are read from one or two lines of the processor's cache; a
 * member is touched only where it moves. It moves through a hole, by one write a level.
 */

export interface Member {
  /** Unique; of equal keys the lower comes first. */
  readonly rank: number;
  /** Index in the heap; -1: not in it. Written by the heap alone. */
  place: number;
}

const fanOut = 4;

export class Turns<T extends Member> {
  readonly #members: T[] = [];
  readonly #keys: number[] = [];
  readonly #ranks: number[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** The member with the smallest key. */
  first(): T | undefined {
    return this.#members[0];
  }

  /** Enters the member, or moves it to where its key belongs now. */
  put(member: T, key: number): void {
    if (member.place < 0) this.#rise(this.#members.length, member, key);
    else this.#settle(member.place, member, key);
  }

  /** Does nothing to one that is not in it. */
  delete(member: T): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop() as T;
    const key = this.#keys.pop() as number;
    this.#ranks.pop();
    if (last !== member) this.#settle(place, last, key);
  }

  /** Gives every member the key that it has now: O(members). */
  rekey(keyOf: (member: T) => number): void {
    const members = this.#members;
    for (let place = 0; place < members.length; place++) this.#keys[place] = keyOf(members[place] as T);
    for (let place = Math.floor((members.length - 2) / fanOut); place >= 0; place--) {
      this.#sink(place, members[place] as T, this.#keys[place] as number);
    }
  }

  #settle(place: number, member: T, key: number): void {
    const above = (place - 1) >> 2;
    if (place > 0 && this.#isAfter(above, key, member.rank)) this.#rise(place, member, key);
    else this.#sink(place, member, key);
  }

  /** From a hole up to where it belongs. */
  #rise(from: number, member: T, key: number): void {
    let hole = from;
    while (hole > 0) {
      const above = (hole - 1) >> 2;
      if (!this.#isAfter(above, key, member.rank)) break;
      this.#move(above, hole);
      hole = above;
    }
    this.#set(hole, member, key);
  }

  /** From a hole down to where it belongs. */
  #sink(from: number, member: T, key: number): void {
    const size = this.#members.length;
    let hole = from;
    for (;;) {
      const lowest = hole * fanOut + 1;
      const end = Math.min(lowest + fanOut, size);
      let next = lowest;
      for (let place = lowest + 1; place < end; place++) {
        if (this.#isAfter(next, this.#keys[place] as number, this.#ranks[place] as number)) next = place;
      }
      if (next >= size || this.#isAfter(next, key, member.rank)) break;
      this.#move(next, hole);
      hole = next;
    }
    this.#set(hole, member, key);
  }

  /** Whether what lies there comes after one with this key and rank. */
  #isAfter(place: number, key: number, rank: number): boolean {
    const other = this.#keys[place] as number;
    return other === key ? (this.#ranks[place] as number) > rank : other > key;
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#members[from] as T, this.#keys[from] as number);
  }

  #set(place: number, member: T, key: number): void {
    member.place = place;
    this.#members[place] = member;
    this.#keys[place] = key;
    this.#ranks[place] = member.rank;
  }
}
