import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UrlList } from "./url-lists.ts";

/** Names that meet, of one blob and of several. */
const line = fc
  .tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 1, max: 9 }), fc.constantFrom("n1", "n2"))
  .map(([name, at, host]) => `disco://${host}/ddfs/vol0/blob/00/${name}$1-1-${at}`);
const step = fc.record({ lines: fc.array(line, { maxLength: 4 }), dedupe: fc.boolean(), learn: fc.nat(3) });

describe("a list of URLs", () => {
  it("is the same whether the names that it has were learnt before, in between or at once", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const list = new UrlList();
        let model: string[] = [];
        for (const { lines, dedupe, learn } of steps) {
          for (let i = 0; i < learn; i++) list.learnNames();
          const known = new Set(model.map(nameOf));
          const added = dedupe ? lines.filter((one) => !known.has(nameOf(one)) && known.add(nameOf(one))) : lines;
          list.add(lines.join("\n"), dedupe);
          model = [...added, ...model];
          assert.deepEqual([...list.lines()], model);
        }
      }),
    );
  });

  it("finds its lines by what is in them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: 4 })),
        fc.constantFrom("n1", "/a$", "1-1-3", "none"),
        (adds, part) => {
          const list = new UrlList();
          for (const lines of adds) list.add(lines.join("\n"));
          assert.deepEqual(
            [...list.linesWith(part)],
            [...list.lines()].filter((one) => one.includes(part)),
          );
        },
      ),
    );
  });

  it("forgets names when a line is called otherwise", () => {
    const list = new UrlList();
    list.add("raw://x/first\tdisco://h/ddfs/vol0/blob/00/second$1-1-1");
    list.add("", true);
    const drop = { add: [], drop: ["disco://h/ddfs/vol0/blob/00/o$1-1-1"] };
    const line = "disco://h/ddfs/vol0/blob/00/o$1-1-1\traw://y/other";
    list.add(line);
    list.change(new Map([["o$1-1-1", drop]]));
    list.add("raw://z/o\nraw://z/other", true);
    assert.deepEqual([...list.lines()].slice(0, 2), ["raw://z/o", "raw://y/other"]);
  });
});

function nameOf(url: string): string {
  return /\/([a-d])\$/.exec(url)?.[1] ?? "";
}
