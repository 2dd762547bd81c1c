/**
 * The URLs of a tag, as text in pieces: a million of them cost what their characters cost, and adding some touches nothing of what
 * is there. A line is a blob (or a link to another tag), its replicas with tabs between them; the newest line comes first.
 */
import type { UrlText } from "./events.ts";
import { blobNameOf, parseBlobAddress } from "./names.ts";

/** Pieces are joined up to about so many characters: a tag that grows line by line has few of them. */
const pieceLength = 64 * 1024;

interface Piece {
  readonly text: UrlText;
  readonly lines: number;
}

/** What becomes of the replicas of an object. */
export interface Replicas {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** @throws nothing: what the lists are made of was checked before (`urlText`) */
export class UrlList {
  /** The oldest first. */
  #pieces: Piece[] = [];
  /** Of all lines; `null`: nobody has asked for them. */
  #names: Set<string> | null = null;
  /** While they are read, piece by piece. */
  #learning: { readonly names: Set<string>; readonly texts: UrlText[] } | null = null;

  get count(): number {
    return this.#pieces.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** Sets of replicas, the newest first. */
  *sets(): Generator<string[]> {
    for (const line of this.lines()) yield line.split("\t");
  }

  *lines(): Generator<string> {
    for (let i = this.#pieces.length - 1; i >= 0; i--) yield* linesOf(this.#pieces[i]?.text ?? "");
  }

  /** Lines that have a text somewhere, the newest first: pieces that do not are not looked through. */
  *linesWith(part: string): Generator<string> {
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const text = this.#pieces[i]?.text ?? "";
      for (let at = text.indexOf(part); at >= 0; ) {
        const from = text.lastIndexOf("\n", at) + 1;
        const end = text.indexOf("\n", at);
        yield end < 0 ? text.slice(from) : text.slice(from, end);
        at = end < 0 ? -1 : text.indexOf(part, end);
      }
    }
  }

  /**
   * Reads some of the names that `dedupe` needs; `true`: all are known. For who wants others to have their turns in between: `add` reads
   * whatever is not known then.
   */
  learnNames(): boolean {
    if (this.#names !== null) return true;
    this.#learning ??= { names: new Set(), texts: this.save() };
    const text = this.#learning.texts.pop();
    if (text === undefined) {
      this.#names = this.#learning.names;
      this.#learning = null;
      return true;
    }
    for (const line of linesOf(text)) this.#learning.names.add(nameOfLine(line));
    return false;
  }

  /** Puts lines before all others. `dedupe`: without those whose name is known. Whether there are any. */
  add(text: UrlText, dedupe = false): boolean {
    const added = dedupe ? this.#unknown(text) : text;
    if (added === "") return false;
    if (!dedupe) {
      const known = this.#names ?? this.#learning?.names;
      if (known !== undefined) for (const line of linesOf(added)) known.add(nameOfLine(line));
    }
    const lines = countLines(added);
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.text.length + added.length < pieceLength)
      this.#pieces[this.#pieces.length - 1] = { text: `${added}\n${last.text}`, lines: last.lines + lines };
    else this.#pieces.push({ text: added, lines });
    return true;
  }

  /** Changes replicas of objects; a line keeps its last one, whatever is to be dropped. Whether anything changed. */
  change(changes: ReadonlyMap<string, Replicas>): boolean {
    let changed = false;
    this.#pieces = this.#pieces.map((piece) => {
      const lines: string[] = [];
      let touched = false;
      for (const line of linesOf(piece.text)) {
        const other = changedLine(line, changes);
        if (other !== line) touched = true;
        lines.push(other);
      }
      if (touched) changed = true;
      return touched ? { text: lines.join("\n"), lines: piece.lines } : piece;
    });
    // A line that has lost its first replica may be called otherwise.
    if (changed) this.forget();
    return changed;
  }

  /** Texts of the pieces, the oldest first, and the inverse. */
  save(): UrlText[] {
    return this.#pieces.map(({ text }) => text);
  }

  static restore(texts: readonly UrlText[]): UrlList {
    const list = new UrlList();
    list.#pieces = texts.map((text) => ({ text, lines: countLines(text) }));
    return list;
  }

  /** What is not needed for questions. */
  forget(): void {
    this.#names = null;
    this.#learning = null;
  }

  #unknown(text: UrlText): UrlText {
    while (!this.learnNames());
    const names = this.#names ?? new Set<string>();
    const lines: string[] = [];
    for (const line of linesOf(text)) {
      const name = nameOfLine(line);
      if (names.has(name)) continue;
      names.add(name);
      lines.push(line);
    }
    return lines.join("\n");
  }
}

export function* linesOf(text: UrlText): Generator<string> {
  if (text === "") return;
  let from = 0;
  for (;;) {
    const end = text.indexOf("\n", from);
    yield end < 0 ? text.slice(from) : text.slice(from, end);
    if (end < 0) return;
    from = end + 1;
  }
}

/** The object that a line of replicas names; `null`: a link, or an address elsewhere. */
export function objectOfLine(line: string): string | null {
  const end = line.indexOf("\t");
  return parseBlobAddress(end < 0 ? line : line.slice(0, end))?.object ?? null;
}

/** All objects that a line names: that of its first replica, and what others call differently. */
export function objectsOfLine(line: string): string[] {
  const objects: string[] = [];
  for (const url of line.split("\t")) {
    const object = parseBlobAddress(url)?.object;
    if (object !== undefined && !objects.includes(object)) objects.push(object);
  }
  return objects;
}

function nameOfLine(line: string): string {
  const end = line.indexOf("\t");
  return blobNameOf(end < 0 ? line : line.slice(0, end));
}

function changedLine(line: string, changes: ReadonlyMap<string, Replicas>): string {
  // Most lines are not meant: what they end with tells.
  const tab = line.indexOf("\t");
  const first = tab < 0 ? line : line.slice(0, tab);
  if (!changes.has(first.slice(first.lastIndexOf("/") + 1))) return line;
  const object = objectOfLine(line);
  const change = object === null ? undefined : changes.get(object);
  if (change === undefined) return line;
  const before = line.split("\t");
  const all = [...before, ...change.add.filter((url) => !before.includes(url))];
  const kept = all.filter((url) => !change.drop.includes(url));
  return (kept.length === 0 ? before : kept).join("\t");
}

function countLines(text: string): number {
  if (text === "") return 0;
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
