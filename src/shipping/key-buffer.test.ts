import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { asksOnlyForItsKey } from "./key-buffer.ts";
import { ModuleAnalysis } from "./module-analysis.ts";
import { loadParsers, parseSyntax } from "./syntax.ts";

let parsers: Awaited<ReturnType<typeof loadParsers>>;

before(async () => {
  parsers = await loadParsers();
});

function judge(text: string): boolean {
  const analysis = new ModuleAnalysis(`const f = ${text};`, parseSyntax(parsers, `const f = ${text};`));
  const found = analysis.findFunction(text, "const f = ".length);
  assert.ok(found !== undefined, text);
  return asksOnlyForItsKey(analysis, found);
}

describe("a combiner that asks only for its key", () => {
  const all = [
    "function add(word, n, counts) { counts.set(word, (counts.get(word) ?? 0) + n); }",
    "(k, v, b) => { b.set(k, (b.get(k) ?? 0) + v); }",
    "(k, v, b) => b.set(k, (b.get(k) ?? 0) + v)",
    "(k, v, b) => void b.set(k, v)",
    "(k, v, b) => (b.has(k) ? undefined : b.set(k, v))",
    "(k, v, b) => { if (!b.has(k) || b.get(k) < v) return b.set(k, v); }",
    "(k, { n }, b) => { const before = b.get(k); if (before) before.push(n); else b.set(k, [n]); }",
    "(k, v, b) => { const n = (b.get(k) ?? 0) + v; if (n < 9) b.set(k, n); else { b.delete(k); return [[k, n]]; } }",
    "(k, v, b) => { b.set(k, [v].map((x) => x + k.length)[0]); }",
    "(k, v, b) => { { const k = 1; v += k; } b.set(k, v); }",
  ];
  for (const text of all) it(`is ${text}`, () => assert.equal(judge(text), true));
});

describe("a combiner that may look around in its buffer", () => {
  const all = [
    ["has more or fewer parameters", "(k, v, b, done) => { b.set(k, v); }"],
    ["has more or fewer parameters", "(k, v) => [[k, v]]"],
    ["takes the rest", "(k, v, ...rest) => { rest[0].set(k, v); }"],
    ["takes its parameters apart", "(k, v, { size }) => { if (size > 1) return [[k, v]]; }"],
    ["takes its key apart", "([k], v, b) => { b.set(k, v); }"],
    ["has defaults", "(k, v, b = new Map()) => { b.set(k, v); }"],
    ["has defaults", "(k = 1, v, b) => { b.set(k, v); }"],
    ["hands the buffer on", "(k, v, b) => { JSON.stringify(b); b.set(k, v); }"],
    ["hands the buffer on as a default", "(k, v = b, b) => { b.set(k, v); }"],
    ["returns the buffer", "(k, v, b) => { b.set(k, v); return b; }"],
    ["has another name for it", "(k, v, b) => { const c = b; c.set(k, v); }"],
    ["iterates over it", "(k, v, b) => { for (const [other] of b) b.delete(other); }"],
    ["asks for its size", "(k, v, b) => { b.set(k, v); if (b.size > 3) b.clear(); }"],
    ["uses what set returns", "(k, v, b) => { const c = b.set(k, v); c.clear(); }"],
    ["uses what set returns", "(k, v, b) => { b.set(k, v).clear(); }"],
    ["uses what set returns", "(k, v, b) => [b.set(k, v)]"],
    ["uses what set returns", "(k, v, b) => { (b.set(k, v) || v).clear(); }"],
    ["asks for another key", "(k, v, b) => { b.set('all', (b.get('all') ?? 0) + v); }"],
    ["asks for another key", "(k, v, b) => { b.set(k + 1, v); }"],
    ["asks for another variable", "(k, v, b) => { b.set(v, k); }"],
    ["asks for a shadow of its key", "(k, v, b) => { for (const k of [1, 2]) b.set(k, v); }"],
    ["changes its key", "(k, v, b) => { k = k.trim(); b.set(k, v); }"],
    ["changes its key", "(k, v, b) => { k++; b.set(k, v); }"],
    ["changes its key", "(k, v, b) => { [k] = v; b.set(k, v); }"],
    ["changes its buffer", "(k, v, b) => { b = new Map(); b.set(k, v); }"],
    ["declares its key again", "function f(k, v, b) { var k; b.set(k, v); }"],
    ["declares its buffer again", "function f(k, v, b) { function b() {} b.set(k, v); }"],
    ["computes the method", "(k, v, b) => { b['set'](k, v); }"],
    ["asks conditionally", "(k, v, b) => { b?.set(k, v); }"],
    ["asks conditionally", "(k, v, b) => { b.set?.(k, v); }"],
    ["takes the method", "(k, v, b) => { const { set } = b; set.call(b, k, v); }"],
    ["passes more", "(k, v, b) => { b.set(k, v, 1); }"],
    ["spreads", "(k, v, b) => { b.set(...[k, v]); }"],
    ["keeps it in a closure", "(k, v, b) => { setImmediate(() => b.set(k, v)); }"],
    ["uses arguments", "function f(k, v, b) { arguments[2].clear(); b.set(k, v); }"],
    ["uses eval", "(k, v, b) => { eval('b.clear()'); b.set(k, v); }"],
    ["is async", "async (k, v, b) => { b.set(k, v); }"],
    ["is a generator", "function* f(k, v, b) { b.set(k, v); }"],
    ["uses another method", "(k, v, b) => { b.getOrInsert(k, v); }"],
  ] as const;
  for (const [why, text] of all) it(`${why}: ${text}`, () => assert.equal(judge(text), false));
});
