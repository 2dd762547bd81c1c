/**
 * The lists of keys that a stream of values has used: an object with a known list is written as a number and its values.
 */
import { shapeCountMax, shapeKeysMax } from "./value-tags.ts";

export interface Shape {
  readonly keys: readonly string[];
  readonly number: number;
  /** Its keys are in the stream. */
  written: boolean;
}

export class ShapeTable {
  #shapes: Map<string, Shape> | null = null;
  #last: Shape | null = null;

  get size(): number {
    return this.#shapes?.size ?? 0;
  }

  /** The shape of a list of keys, made if there is room; `null`: write the object without one. */
  shapeOf(keys: readonly string[]): Shape | null {
    if (this.#last !== null && sameKeys(this.#last.keys, keys)) return this.#last;
    if (keys.length > shapeKeysMax) return null;
    this.#shapes ??= new Map();
    const name = keys.join("\0");
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      if (this.#shapes.size >= shapeCountMax) return null;
      shape = { keys, number: this.#shapes.size, written: false };
      this.#shapes.set(name, shape);
    } else if (!sameKeys(shape.keys, keys)) {
      return null;
    }
    this.#last = shape;
    return shape;
  }

  /** Forgets the shapes from a number on: their keys were in bytes that are given up. */
  forget(from: number): void {
    this.#last = null;
    if (from === 0) this.#shapes = null;
    for (const [name, shape] of this.#shapes ?? []) if (shape.number >= from) this.#shapes?.delete(name);
  }
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
