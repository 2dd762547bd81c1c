/** Statements that change a module-level variable after its declaration. */
import type { Variable } from "eslint-scope";
import type { ModuleAnalysis } from "./module-analysis.ts";
import { contains, isFunction, type SyntaxNode, start, walk } from "./syntax.ts";

export interface Change {
  readonly kind: "assigned" | "mutated";
  readonly node: SyntaxNode;
}

const mutators = new Set(
  "add set delete clear push pop shift unshift splice sort reverse fill copyWithin append register".split(" "),
);
const objectMutators = new Set("assign defineProperty defineProperties setPrototypeOf".split(" "));

/**
 * Whether a statement at module level belongs to the declaration of `variable` and travels with it: `X.y = …`,
 * `Object.assign(X, …)`, `registry.set(…)`, an enum's body `(function (X) { … })(X || (X = {}))`, what compilers emit for
 * decorators (`X = __decorate(…)`, `__name(X, "X")`), and the one assignment of a variable that is declared without a value.
 */
export function completes(statement: SyntaxNode, variable: Variable): boolean {
  if (statement.type !== "ExpressionStatement") return false;
  const { expression } = statement;
  const isIt = (node: SyntaxNode | undefined): boolean => node?.type === "Identifier" && node.name === variable.name;
  const isRooted = (node: SyntaxNode | undefined): boolean => isIt(node && rootOf(node));
  if (expression.type === "AssignmentExpression") {
    if (expression.left.type === "MemberExpression") return isRooted(expression.left);
    if (!isIt(expression.left)) return false;
    return isCompilerCall(expression.right) || isOnlyAssignment(statement, variable);
  }
  if (expression.type !== "CallExpression") return false;
  const { callee, arguments: args } = expression;
  if (isFunction(callee)) return args.some((argument) => isEnumArgument(argument, isIt));
  if (isCompilerCall(expression))
    return isRooted(args[0]) || args.some((argument, index) => index === 1 && isRooted(argument));
  if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return false;
  if (isObjectMutator(callee)) return isRooted(args[0]);
  return isRooted(callee.object) && mutators.has(callee.property.name);
}

/** The first change by source that does not travel. */
export function findChange(
  analysis: ModuleAnalysis,
  variable: Variable,
  travels: (node: SyntaxNode) => boolean,
): Change | undefined {
  for (const reference of variable.references) {
    const node = reference.identifier as SyntaxNode;
    if (reference.init || travels(node)) continue;
    if (reference.isWrite()) return { kind: "assigned", node };
  }
  let change: Change | undefined;
  const outside = new Set(
    variable.references
      .filter((reference) => !travels(reference.identifier as SyntaxNode))
      .map(({ identifier }) => start(identifier as SyntaxNode)),
  );
  if (outside.size === 0) return undefined;
  for (const statement of analysis.statements) {
    walk(statement, (node) => {
      if (change !== undefined || travels(node)) return false;
      const target = mutated(node);
      if (target !== undefined && outside.has(start(rootOf(target)))) change = { kind: "mutated", node };
      return true;
    });
  }
  return change;
}

/** What an expression changes in place. */
function mutated(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type === "AssignmentExpression" && node.left.type === "MemberExpression") return node.left;
  if (node.type === "UpdateExpression" && node.argument.type === "MemberExpression") return node.argument;
  if (node.type === "UnaryExpression" && node.operator === "delete") return node.argument;
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return undefined;
  const { callee } = node;
  if (isObjectMutator(callee)) return node.arguments[0];
  return callee.property.type === "Identifier" && mutators.has(callee.property.name) ? callee.object : undefined;
}

function rootOf(node: SyntaxNode): SyntaxNode {
  let root = node;
  while (root.type === "MemberExpression" || root.type === "ChainExpression") {
    root = root.type === "MemberExpression" ? root.object : root.expression;
  }
  return root;
}

function isObjectMutator(callee: SyntaxNode): boolean {
  return (
    callee.type === "MemberExpression" &&
    callee.object.type === "Identifier" &&
    (callee.object.name === "Object" || callee.object.name === "Reflect") &&
    callee.property.type === "Identifier" &&
    objectMutators.has(callee.property.name)
  );
}

/** Names that begin with two underscores are those of compilers' own functions. */
function isCompilerCall(node: SyntaxNode): boolean {
  return node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name.startsWith("__");
}

function isEnumArgument(argument: SyntaxNode, isIt: (node: SyntaxNode | undefined) => boolean): boolean {
  return argument.type === "LogicalExpression" && argument.operator === "||" && isIt(argument.left);
}

function isOnlyAssignment(statement: SyntaxNode, variable: Variable): boolean {
  const writes = variable.references.filter((reference) => reference.isWrite());
  return writes.length === 1 && writes.every(({ identifier }) => contains(statement, identifier as SyntaxNode));
}
