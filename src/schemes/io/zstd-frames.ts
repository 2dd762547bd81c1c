/**
 * Finds where zstd frames end (RFC 8878), without decompressing: a frame is a header, blocks that say their size, and an
 * optional checksum. Skippable frames are frames without data of ours and are left out.
 */

export type ZstdPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The frame is complete. */
  | { readonly kind: "end" }
  /** `at`: offset in the chunk where no frame begins. */
  | { readonly kind: "bad"; readonly at: number };

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const rleBlock = 1;
/** Bytes of the dictionary id and of the content size, by their flags in the frame header. */
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

type Step = "magic" | "descriptor" | "header" | "block" | "body" | "checksum" | "skip-size" | "skip";

export class ZstdFrames {
  #step: Step = "magic";
  /** Bytes of this step that have not come yet. */
  #missing = 4;
  /** The step's bytes so far as a little-endian number (steps of at most four bytes). */
  #value = 0;
  #got = 0;
  #lastBlock = false;
  #hasChecksum = false;

  /** `false` exactly between frames. */
  get insideFrame(): boolean {
    return this.#step !== "magic" || this.#got > 0;
  }

  *split(chunk: Uint8Array): Generator<ZstdPart, void, undefined> {
    let start = 0;
    let at = 0;
    let carriedMagic = this.#step === "magic" ? this.#got : 0;
    while (at < chunk.length) {
      const skipping =
        this.#step === "header" || this.#step === "body" || this.#step === "checksum" || this.#step === "skip";
      const take = Math.min(this.#missing, chunk.length - at);
      if (!skipping) {
        for (let i = 0; i < take; i++) {
          this.#value += (chunk[at + i] as number) * 2 ** (8 * this.#got);
          this.#got++;
        }
      }
      at += take;
      this.#missing -= take;
      if (this.#missing > 0) break;
      const step = this.#step;
      const value = this.#value;
      if (!this.#advance()) {
        yield { kind: "bad", at: Math.max(0, at - take) };
        return;
      }
      if (step === "magic") {
        if (value === frameMagic) {
          // The magic number may have begun in an earlier chunk, whose bytes were held back.
          if (carriedMagic > 0) yield { kind: "bytes", bytes: magicBytes.subarray(0, carriedMagic) };
        } else {
          start = at;
        }
        carriedMagic = 0;
      } else if (this.#step === "magic") {
        if (step !== "skip" && step !== "skip-size") {
          yield { kind: "bytes", bytes: chunk.subarray(start, at) };
          yield { kind: "end" };
        }
        start = at;
      }
    }
    const held = this.#step === "magic" || this.#step === "skip-size" || this.#step === "skip";
    if (!held && start < at) yield { kind: "bytes", bytes: chunk.subarray(start, at) };
  }

  /** Goes to the next step; `false` when no frame begins here. */
  #advance(): boolean {
    const value = this.#value;
    this.#value = 0;
    this.#got = 0;
    switch (this.#step) {
      case "magic":
        if (value === frameMagic) return this.#expect("descriptor", 1);
        if (value >= skippableMagic && value < skippableMagic + 16) return this.#expect("skip-size", 4);
        return false;
      case "descriptor": {
        const single = (value & 0x20) !== 0;
        const sizeFlag = value >> 6;
        this.#hasChecksum = (value & 4) !== 0;
        const size = sizeFlag === 0 && single ? 1 : (contentSizeBytes[sizeFlag] ?? 0);
        return this.#expect("header", (single ? 0 : 1) + (dictionaryIdBytes[value & 3] ?? 0) + size);
      }
      case "header":
        return this.#expect("block", 3);
      case "block": {
        this.#lastBlock = (value & 1) === 1;
        const isRle = ((value >> 1) & 3) === rleBlock;
        return this.#expect("body", isRle ? 1 : value >> 3);
      }
      case "body":
        if (!this.#lastBlock) return this.#expect("block", 3);
        return this.#hasChecksum ? this.#expect("checksum", 4) : this.#expect("magic", 4);
      case "skip-size":
        return this.#expect("skip", value);
      case "checksum":
      case "skip":
        return this.#expect("magic", 4);
    }
  }

  #expect(step: Step, bytes: number): boolean {
    this.#step = step;
    this.#missing = bytes;
    return bytes > 0 || this.#advance();
  }
}

const magicBytes = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
