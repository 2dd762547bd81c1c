import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Positions } from "./positions.ts";
import { type SlicePiece, sliceText } from "./slice-text.ts";
import { StackTranslator } from "./stack.ts";

const url = "file:///job.ts?disco=0";

/** Each letter of the source is unique, so that a position in the slice can be told from its letter. */
const sources = fc
  .array(fc.constantFrom("\n", "\r\n", "\t", " ", ""), { minLength: 5, maxLength: 60 })
  .map((separators) => separators.map((separator, index) => separator + String.fromCodePoint(0x4e00 + index)).join(""));

describe("the text of a slice", () => {
  it("has every kept character at its own line, and at its own column once insertions are taken off", () => {
    fc.assert(
      fc.property(
        sources,
        fc.array(fc.nat(200), { maxLength: 8 }),
        fc.string({ maxLength: 8, unit: fc.constantFrom("<", ";") }),
        (source, cuts, glue) => {
          const ends = [...new Set(cuts.map((cut) => cut % (source.length + 1)))].toSorted((a, b) => a - b);
          const pieces: SlicePiece[] = [];
          for (let index = 0; index + 1 < ends.length; index += 2) {
            pieces.push({ start: ends[index] as number, end: ends[index + 1] as number, before: glue, after: ";" });
          }
          // A cut inside of CR LF would make two line ends of one.
          fc.pre(ends.every((end) => source.slice(end - 1, end + 1) !== "\r\n"));
          const { text, insertions } = sliceText(source, pieces, glue, "tail");
          const translator = new StackTranslator([{ url, format: "module", source: text, insertions }]);
          const from = new Positions(source);
          const to = new Positions(text);
          for (const piece of pieces) {
            for (let at = piece.start; at < piece.end; at += 1) {
              const letter = source[at] as string;
              if (letter < "\u4e00") continue;
              const found = to.at(text.indexOf(letter));
              const original = translator.original({ url, line: found.line + 1, column: found.column + 1 });
              const expected = from.at(at);
              assert.deepEqual([original.line, original.column], [expected.line + 1, expected.column + 1]);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
