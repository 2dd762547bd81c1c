/**
 * A map that is a generator spends more time being stepped than in its body. Where all that it does with its pairs is
 *
 *   yield [key, value];        it becomes        $emit (key, value);
 *
 * on the way to the worker, and the generator an ordinary function, which is called once an entry. The new text is as long as the
 * old one, so that no position in a stack changes.
 *
 * That is the same only where nobody can see the difference. So all of these must hold, otherwise the generator stays one:
 *   1. Each `yield` is a statement of its own, of a list of exactly two expressions. Not `yield*`, whose values are not known.
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

const emitLength = "yield".length;

/** A name as long as `yield` that the text does not use. */
export function emitName(text: string): string {
  for (let n = 0, name = "$emit"; ; n++, name = `$${n.toString(36).padStart(emitLength - 1, "_")}`) {
    if (!text.includes(name)) return name;
  }
}

/** What makes a function of the generator; `null` where it has to stay one. */
export function directYields(
  analysis: ModuleAnalysis,
  found: FoundFunction,
  emit: string,
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
    const list = inner.argument;
    const isPair =
      !inner.delegate &&
      list?.type === "ArrayExpression" &&
      list.elements.length === 2 &&
      list.elements.every((element) => element !== null && element.type !== "SpreadElement");
    const isStatement = ancestors.at(-1)?.type === "ExpressionStatement";
    if (!isPair || !isStatement || ancestors.some(({ type }) => type === "TryStatement")) {
      isDirect = false;
      return false;
    }
    // In parentheses it would end elsewhere than its list does: `yield ([key, value])`.
    if (end(inner) !== end(list) || !/^yield\s*$/.test(analysis.text.slice(start(inner), start(list)))) {
      isDirect = false;
      return false;
    }
    yields++;
    replacements.push(
      { at: start(inner), text: emit },
      { at: start(list), text: "(" },
      { at: end(list) - 1, text: ")" },
    );
    return true;
  });
  return isDirect && yields > 0 ? replacements : null;
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
