/**
 * Whether a combiner uses its buffer only by `get`, `has`, `set` and `delete` of the very key that it was called with. Then it cannot
 * tell whose other keys are in there, and a worker need not keep a buffer for each partition (`worker/combine-by-key.ts`).
 *
 * Decided by the variables' scopes. Whatever is not plainly so is taken for a combiner that looks around in its buffer: one that hands
 * the buffer on, keeps it in a closure, changes `key`, wants the last call (`done`), or uses `arguments` or `eval`.
 */
import type { Variable } from "eslint-scope";
import type { FoundFunction, ModuleAnalysis } from "./module-analysis.ts";
import { isFunction, type SyntaxNode, walk } from "./syntax.ts";

/** Arguments of the methods that may be called. */
const methods: ReadonlyMap<string, number> = new Map([
  ["get", 1],
  ["has", 1],
  ["set", 2],
  ["delete", 1],
]);

/** `key`, `value` and `buffer`: with a fourth parameter a combiner gets a last call, for each buffer. */
const parametersMax = 3;

export function asksOnlyForItsKey(analysis: ModuleAnalysis, { node }: FoundFunction): boolean {
  if (!isFunction(node) || node.async || node.generator || node.params.length !== parametersMax) return false;
  const [keyNode, value, bufferNode] = node.params as [SyntaxNode, SyntaxNode, SyntaxNode];
  if (keyNode.type !== "Identifier" || bufferNode.type !== "Identifier" || value.type === "RestElement") return false;
  const scope = analysis.scopeOf(node);
  const key = scope?.set.get(keyNode.name);
  const buffer = scope?.set.get(bufferNode.name);
  if (scope === null || key === undefined || buffer === undefined || key === buffer) return false;
  // A declaration of the same name in the body: `var key`, `function buffer() {}`.
  if (key.defs.length !== 1 || buffer.defs.length !== 1) return false;
  if (key.references.some((reference) => reference.isWrite())) return false;
  if ((scope.set.get("arguments")?.references.length ?? 0) > 0 || callsEval(node)) return false;
  const allowed = keyedCalls(node, key);
  return buffer.references.every(
    (reference) => reference.from.variableScope === scope && allowed.has(reference.identifier as SyntaxNode),
  );
}

/** The `b` of each `b.get(key)`, whatever `b` is. */
function keyedCalls(node: SyntaxNode, key: Variable): Set<SyntaxNode> {
  const keys = new Set(key.references.map(({ identifier }) => identifier as SyntaxNode));
  const found = new Set<SyntaxNode>();
  walk(node, (inner, ancestors) => {
    if (inner.type !== "CallExpression" || inner.optional) return;
    const { callee, arguments: args } = inner;
    if (callee.type !== "MemberExpression" || callee.computed || callee.optional) return;
    if (callee.object.type !== "Identifier" || callee.property.type !== "Identifier") return;
    const { name } = callee.property;
    if (methods.get(name) !== args.length || args.some(({ type }) => type === "SpreadElement")) return;
    if (!keys.has(args[0] as SyntaxNode)) return;
    // `set` gives the buffer itself.
    if (name === "set" && !isDropped(inner, ancestors)) return;
    found.add(callee.object);
  });
  return found;
}

/** Whether an expression's value goes nowhere, or is what the combiner returns. */
function isDropped(expression: SyntaxNode, ancestors: readonly SyntaxNode[]): boolean {
  let child = expression;
  for (const parent of ancestors.toReversed()) {
    switch (parent.type) {
      case "ExpressionStatement":
      case "ReturnStatement":
        return true;
      case "ArrowFunctionExpression":
        return parent.body === child;
      case "LogicalExpression":
        if (parent.right !== child) return false;
        break;
      case "ConditionalExpression":
        if (parent.test === child) return false;
        break;
      case "UnaryExpression":
        if (parent.operator !== "void") return false;
        break;
      default:
        return false;
    }
    child = parent;
  }
  return false;
}

function callsEval(node: SyntaxNode): boolean {
  let found = false;
  walk(node, (inner) => {
    if (inner.type === "CallExpression" && inner.callee.type === "Identifier" && inner.callee.name === "eval")
      found = true;
    return !found;
  });
  return found;
}
