/**
 * A map or reduce that is a generator spends more time being stepped than in its body. Where all that it does with its pairs is
 *
 *   yield [key, value];        it becomes        $emit (key, value);
 *   yield* pairs;                                $each( pairs)
 *
 * on the way to the worker, and the generator an ordinary function. The new text is as long as the old one, so that no position in
 * a stack changes.
 *
 * That is the same only where nobody can see the difference. So all of these must hold, otherwise the generator stays one:
 *   1. Each `yield` is a statement of its own, of a list of exactly two expressions; each `yield*` is one, and ends where its
 *      statement may do without a semicolon.
 *   2. None stands inside of `try`: what goes wrong behind a `yield` does not come back into a generator.
 *   3. The function uses neither `arguments` nor `eval`, and is not `async`.
 *   4. Nothing else that travels refers to it: whoever else calls it wants a generator (`slice.ts`).
 */
import type { FoundFunction, ModuleAnalysis } from "./module-analysis.ts";
import { isMethodOf } from "./module-analysis.ts";
import { end, isFunction, type SyntaxNode, start, walk } from "./syntax.ts";

/** Text that takes the place of as much text. */
export interface Replacement {
  readonly at: number;
  readonly text: string;
}

type YieldNode = Extract<SyntaxNode, { type: "YieldExpression" }>;

const emitLength = "yield".length;
/** How far a statement's end is looked for the next one. */
const restChars = 500;

/** What `yield` and `yield*` become: names as long as `yield` that the text does not use. */
export interface EmitNames {
  readonly pair: string;
  readonly all: string;
}

export function emitNames(text: string): EmitNames {
  const pair = freeName(text, "$emit");
  return { pair, all: freeName(text + pair, "$each") };
}

function freeName(text: string, wanted: string): string {
  let name = wanted;
  for (let n = 0; text.includes(name); n++) name = `$${n.toString(36).padStart(emitLength - 1, "_")}`;
  return name;
}

/** What makes a function of the generator; `null` where it has to stay one. */
export function directYields(
  analysis: ModuleAnalysis,
  found: FoundFunction,
  names: EmitNames,
): readonly Replacement[] | null {
  const { node } = found;
  if (!isFunction(node) || !node.generator || node.async === true) return null;
  const scope = analysis.scopeOf(node);
  if (scope === null || (scope.set.get("arguments")?.references.length ?? 0) > 0) return null;
  // By its own name a function expression calls itself, and wants a generator.
  const { upper } = scope;
  if (upper?.type === "function-expression-name" && upper.variables.some(({ references }) => references.length > 0)) {
    return null;
  }
  const star = starOf(analysis.text, found);
  if (star === null) return null;
  const replacements: Replacement[] = [{ at: star, text: " " }];
  let yields = 0;
  let isDirect = true;
  walk(node, (inner, ancestors) => {
    if (!isDirect || (inner !== node && isFunction(inner))) return false;
    if (inner.type === "CallExpression" && inner.callee.type === "Identifier" && inner.callee.name === "eval") {
      isDirect = false;
    }
    if (inner.type !== "YieldExpression") return true;
    const isStatement = ancestors.at(-1)?.type === "ExpressionStatement";
    const isGuarded = ancestors.some(({ type }) => type === "TryStatement");
    const change = !isStatement || isGuarded ? null : changeOf(analysis.text, inner, names);
    if (change === null) {
      isDirect = false;
      return false;
    }
    yields++;
    replacements.push(...change);
    return true;
  });
  return isDirect && yields > 0 ? replacements : null;
}

function changeOf(text: string, node: YieldNode, names: EmitNames): readonly Replacement[] | null {
  const { argument } = node;
  if (argument === null || argument === undefined) return null;
  const before = text.slice(start(node), start(argument));
  if (node.delegate) {
    // yield* pairs;   becomes   $each( pairs)   which ends without a semicolon, where one may be left out.
    const rest = text.slice(end(node), end(node) + restChars);
    if (!/^yield\s*\*[\s(]*$/.test(before) || !/^(?:;[ \t]*(?:\}|\r?\n\s*(?:[\w$]|\}))|[ \t]+\})/.test(rest))
      return null;
    return [
      { at: start(node), text: names.all },
      { at: start(node) + before.indexOf("*"), text: "(" },
      { at: end(node), text: ")" },
    ];
  }
  // In parentheses it would end elsewhere than its list does: `yield ([key, value])`.
  if (!isPair(argument) || end(node) !== end(argument) || !/^yield\s*$/.test(before)) return null;
  return [
    { at: start(node), text: names.pair },
    { at: start(argument), text: "(" },
    { at: end(argument) - 1, text: ")" },
  ];
}

function isPair(node: SyntaxNode): boolean {
  return (
    node.type === "ArrayExpression" &&
    node.elements.length === 2 &&
    node.elements.every((element) => element !== null && element.type !== "SpreadElement")
  );
}

/** Where the `*` stands that makes it a generator; `null` where that takes more than a glance. */
function starOf(text: string, { node, ancestors }: FoundFunction): number | null {
  const holder = ancestors.at(-1);
  if (isMethodOf(node, holder)) {
    if (holder.type !== "Property" || holder.computed) return null;
    return starIn(text, start(holder), start(holder.key as SyntaxNode), /^\*\s*$/);
  }
  const name = "id" in node ? node.id : null;
  if (name === null || name === undefined) return starIn(text, start(node), text.indexOf("(", start(node)), anonymous);
  return starIn(text, start(node), start(name as SyntaxNode), anonymous);
}

const anonymous = /^function\s*\*\s*$/;

function starIn(text: string, from: number, to: number, expected: RegExp): number | null {
  const before = text.slice(from, to);
  return expected.test(before) ? from + before.indexOf("*") : null;
}

/** The text with each replacement in its place. */
export function replaced(text: string, replacements: readonly Replacement[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { at, text: part } of replacements.toSorted((a, b) => a.at - b.at)) {
    parts.push(text.slice(from, at), part);
    from = at + part.length;
  }
  parts.push(text.slice(from));
  return parts.join("");
}
