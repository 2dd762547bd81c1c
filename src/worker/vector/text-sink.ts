/** What becomes of the texts that a built-in map finds: each stands for the pair `[text, 1]`. */
import type { Emit } from "../emit.ts";
import type { PlacedWriter } from "../key-place.ts";
import { ByteTable } from "./byte-table.ts";
import type { WordSink } from "./word-scan.ts";

export interface TextSink extends WordSink {
  /** Whether equal texts become one: those who know only bytes need not make texts of them. */
  readonly combines: boolean;
  /** Takes one text, bytes of a block. */
  take(bytes: Uint8Array, start: number, end: number): void;
  /** The same, of a text that is hardly expected again. */
  takeText(text: string): void;
  /** Emits what is left. */
  finish(): void;
}

/** In place of a byte, or several, that are no UTF-8. */
const replaced = "\ufffd";

/** The keys of a table become one string, which ends at 512 MiB; the last of them may be a line of 64. */
const tableBytesMax = 256 * 1024 * 1024;

/**
 * Combines: each text is kept once, and emitted with its count when the table holds as much as the budget allows; where the fold is
 * not about numbers (`max` of ones is one), with 1.
 */
export class CountSink implements TextSink {
  readonly table = new ByteTable();
  readonly ids = null;
  readonly combines = true;
  readonly #writer: PlacedWriter;
  readonly #counts: boolean;
  readonly #budgetBytes: number;

  constructor(writer: PlacedWriter, counts: boolean, budgetBytes: number) {
    this.#writer = writer;
    this.#counts = counts;
    this.#budgetBytes = Math.min(tableBytesMax, budgetBytes);
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    const { table } = this;
    const id = table.intern(bytes, start, end);
    table.counts[id] = (table.counts[id] as number) + 1;
    if (this.isFull()) this.empty();
  }

  takeText(text: string): void {
    const bytes = Buffer.from(text);
    this.take(bytes, 0, bytes.length);
  }

  drain(): void {}

  isFull(): boolean {
    return this.table.bytes >= this.#budgetBytes;
  }

  empty(): void {
    const { table } = this;
    let id = 0;
    const odd = table.hasReplaced() ? this.#joinReplaced() : null;
    for (const text of table.texts()) {
      const count = odd?.get(text) ?? (table.counts[id] as number);
      id++;
      if (odd?.has(text) === true) {
        if (count === 0) continue;
        odd.set(text, 0);
      }
      this.#writer.add(text, this.#counts ? count : 1);
    }
    table.clear();
  }

  finish(): void {
    this.empty();
  }

  /** Different bytes that are no UTF-8 may be the same text: the sums of such texts. */
  #joinReplaced(): Map<string, number> {
    const sums = new Map<string, number>();
    let id = 0;
    for (const text of this.table.texts()) {
      const count = this.table.counts[id++] as number;
      if (text.includes(replaced)) sums.set(text, (sums.get(text) ?? 0) + count);
    }
    return sums;
  }
}

/** Where the pairs of a `PairSink` go: straight to the writer, or through a combiner of the user's. */
export type PairTarget =
  | { readonly kind: "writer"; readonly writer: PlacedWriter }
  | { readonly kind: "emit"; readonly emit: Emit };

/** Ids that are gathered before they are drained. */
const idsMax = 4096;

/** Emits each text as it comes. A text that came before is the same string again, and its partition is known. */
export class PairSink implements TextSink {
  readonly table = new ByteTable();
  readonly ids = new Int32Array(idsMax);
  readonly combines = false;
  readonly #target: PairTarget;
  readonly #budgetBytes: number;
  #texts: string[] = [];
  #partitions: number[] = [];
  #hashes: number[] = [];

  constructor(target: PairTarget, budgetBytes: number) {
    this.#target = target;
    this.#budgetBytes = budgetBytes;
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    this.ids[0] = this.table.intern(bytes, start, end);
    this.drain(1);
    if (this.isFull()) this.empty();
  }

  takeText(text: string): void {
    if (this.#target.kind === "emit") this.#target.emit(text, 1);
    else this.#target.writer.add(text, 1);
  }

  drain(n: number): void {
    const { ids } = this;
    const texts = this.#texts;
    this.#learn();
    if (this.#target.kind === "emit") {
      const { emit } = this.#target;
      for (let i = 0; i < n; i++) emit(texts[ids[i] as number], 1);
      return;
    }
    const { writer } = this.#target;
    const partitions = this.#partitions;
    const hashes = this.#hashes;
    for (let i = 0; i < n; i++) {
      const id = ids[i] as number;
      writer.write(partitions[id] as number, texts[id], 1, hashes[id] as number);
    }
  }

  /** Texts take about as much again as their entries in the table. */
  isFull(): boolean {
    return this.table.bytes * 2 >= this.#budgetBytes;
  }

  empty(): void {
    this.table.clear();
    this.#texts = [];
    this.#partitions = [];
    this.#hashes = [];
  }

  finish(): void {}

  /** Makes texts of the keys that are new. */
  #learn(): void {
    const texts = this.#texts;
    for (let id = texts.length; id < this.table.size; id++) {
      const text = this.table.text(id);
      texts.push(text);
      if (this.#target.kind === "emit") continue;
      const { writer } = this.#target;
      writer.place(text);
      this.#partitions.push(writer.partition);
      this.#hashes.push(writer.hash);
    }
  }
}
