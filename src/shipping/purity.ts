/**
 * Whether an initialiser gives the same value on a worker as here, whenever it runs: literals, functions, collections of such.
 * Everything else (a call, `process.env`, `await`) may not, and its present value is sent instead, if it is data.
 */
import type { Scope } from "eslint-scope";
import type * as ESTree from "estree";
import { isClass, isFunction, type SyntaxNode, walk } from "./syntax.ts";

const pureClasses = new Set(
  [
    "Set Map RegExp Date URL TextEncoder TextDecoder Array Uint8Array Int8Array Uint8ClampedArray Uint16Array Int16Array",
    "Uint32Array Int32Array Float32Array Float64Array BigInt64Array BigUint64Array ArrayBuffer WeakMap WeakSet",
  ].flatMap((line) => line.split(" ")),
);
const pureGlobals = new Set([
  "undefined",
  "NaN",
  "Infinity",
  "Math",
  "Number",
  "String",
  "Boolean",
  "Symbol",
  "Object",
  "Array",
  "JSON",
]);

export function isPure(node: SyntaxNode | null | undefined, top: Scope): boolean {
  if (node === null || node === undefined) return true;
  const all = (nodes: readonly (SyntaxNode | null)[]): boolean => nodes.every((inner) => isPure(inner, top));
  if (isFunction(node) || isClass(node)) return true;
  switch (node.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return all(node.expressions);
    case "UnaryExpression":
    case "SpreadElement":
      return isPure(node.argument, top);
    case "BinaryExpression":
    case "LogicalExpression":
      return all([node.left as SyntaxNode, node.right]);
    case "ConditionalExpression":
      return all([node.test, node.consequent, node.alternate]);
    case "ArrayExpression":
      return all(node.elements);
    case "ObjectExpression":
      return all(node.properties);
    case "Property":
      return isPure(node.value as SyntaxNode, top) && (!node.computed || isPure(node.key as SyntaxNode, top));
    case "MemberExpression":
      return isPure(node.object as SyntaxNode, top) && (!node.computed || isPure(node.property as SyntaxNode, top));
    case "Identifier":
      return top.set.has(node.name) || pureGlobals.has(node.name);
    case "NewExpression":
      return isPureConstruction(node) && all(node.arguments);
    default:
      return false;
  }
}

function isPureConstruction({ callee, arguments: args }: ESTree.NewExpression): boolean {
  if (callee.type !== "Identifier" || !pureClasses.has(callee.name)) return false;
  return callee.name !== "Date" || args.length > 0;
}

/** `await` outside of functions, other than that of a dynamic import. */
export function findAwait(node: SyntaxNode): SyntaxNode | undefined {
  let found: SyntaxNode | undefined;
  walk(node, (inner) => {
    if (isFunction(inner)) return false;
    if (inner.type === "AwaitExpression" && inner.argument.type !== "ImportExpression") found ??= inner;
    if (inner.type === "ForOfStatement" && inner.await) found ??= inner;
    return true;
  });
  return found;
}
