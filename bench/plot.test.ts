import assert from "node:assert/strict";
import { test } from "node:test";
import { type Plot, svgPlot } from "./plot.ts";

const plot: Plot = {
  title: "Cost & size",
  xLabel: "input, MB",
  yLabel: "seconds",
  series: [
    {
      name: "words, <wall>",
      points: [
        [20, 0.5],
        [200, 5],
        [2000, 50],
      ],
    },
    {
      name: "sort",
      points: [
        [40, 1],
        [4000, 200],
      ],
    },
  ],
};

/** Centres of the dots of each series. */
function dots(svg: string): [number, number][] {
  return [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

test("equal factors are equal distances, larger is to the right and above", () => {
  const [[x0, y0] = [0, 0], [x1, y1] = [0, 0], [x2, y2] = [0, 0]] = dots(svgPlot(plot));
  assert.ok(x0 < x1 && y0 > y1);
  assert.ok(Math.abs(x1 - x0 - (x2 - x1)) < 0.2);
  assert.ok(Math.abs(y1 - y0 - (y2 - y1)) < 0.2);
});

test("the line of linear growth begins at a series' first point and goes through all points of a linear one", () => {
  const svg = svgPlot(plot);
  const [first, , third] = dots(svg);
  assert.ok(svg.includes(`<path class="slope" d="M${first?.join(" ")}L${third?.join(" ")}"/>`), svg);
});

test("every point lies within the axes, whose labels are powers of ten", () => {
  const svg = svgPlot(plot);
  const [, left, top, bottom, right] = (/class="axis" d="M(\S+) (\S+)V(\S+)H(\S+)"/.exec(svg) ?? []).map(Number);
  for (const [x, y] of dots(svg)) {
    assert.ok(x >= (left ?? 0) && x <= (right ?? 0) && y >= (top ?? 0) && y <= (bottom ?? 0), `${x} ${y}`);
  }
  const ticks = [...svg.matchAll(/class="tick"[^>]*>([^<]*)</g)].map(([, text]) => text);
  assert.deepEqual(ticks, ["10", "100", "1,000", "10,000", "0.1", "1", "10", "100", "1,000"]);
});

test("text is escaped, units stand at the axes, and dark surroundings have colours of their own", () => {
  const svg = svgPlot(plot);
  for (const text of ["Cost &amp; size", "words, &lt;wall>", "input, MB", "seconds", "prefers-color-scheme: dark"]) {
    assert.ok(svg.includes(text), text);
  }
  assert.ok(!/&(?!amp;|lt;|quot;)|<wall/.test(svg));
});

test("a size or cost of zero is refused", () => {
  assert.throws(() => svgPlot({ ...plot, series: [{ name: "none", points: [[0, 1]] }] }), RangeError);
});
