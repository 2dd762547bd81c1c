/**
 * What is found in several places at once, in the order of the places: the first that has not ended is printed as it comes, those behind it
 * wait, in memory up to a limit.
 */
export class OrderedOutput {
  readonly #print: (text: string) => Promise<void>;
  readonly #parts: Part[] = [];
  #front = 0;

  constructor(print: (text: string) => Promise<void>) {
    this.#print = print;
  }

  part(i: number): Part {
    const part = (this.#parts[i] ??= new Part());
    if (i === this.#front) part.reached(this.#print);
    return part;
  }

  /** Nothing more comes of it: the next one is in front. */
  async end(i: number): Promise<void> {
    this.part(i).ended = true;
    for (;;) {
      const front = this.part(this.#front);
      if (!front.ended) return;
      await front.flush(this.#print);
      this.#front++;
      if (this.#parts[this.#front] === undefined) return;
      this.part(this.#front);
    }
  }
}

const heldCharactersMax = 1 << 20;

class Part {
  ended = false;
  #held = "";
  #print: ((text: string) => Promise<void>) | null = null;
  readonly #turn = Promise.withResolvers<void>();

  async write(text: string): Promise<void> {
    this.#held += text;
    if (this.#print === null && this.#held.length > heldCharactersMax) await this.#turn.promise;
    if (this.#print !== null) await this.flush(this.#print);
  }

  reached(print: (text: string) => Promise<void>): void {
    this.#print = print;
    this.#turn.resolve();
  }

  async flush(print: (text: string) => Promise<void>): Promise<void> {
    const text = this.#held;
    this.#held = "";
    if (text !== "") await print(text);
  }
}
