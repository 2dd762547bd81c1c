/** Parsing and scope analysis, loaded when first used: they take about 35 ms, and `import "disco-mapreduce"` must not. */
import type { Scope, ScopeManager } from "eslint-scope";
import type * as ESTree from "estree";

export type SyntaxNode = ESTree.Node;
export type FunctionNode = ESTree.FunctionDeclaration | ESTree.FunctionExpression | ESTree.ArrowFunctionExpression;
export type ClassNode = ESTree.ClassDeclaration | ESTree.ClassExpression;

export interface SyntaxTree {
  readonly program: ESTree.Program;
  readonly scopes: ScopeManager;
  /** The scope of the file's own declarations, around any wrapper that a tool put there. */
  readonly top: Scope;
}

interface Parsers {
  readonly parse: (text: string, options: object) => ESTree.Program;
  readonly analyze: (program: ESTree.Program, options: object) => ScopeManager;
}

let parsers: Promise<Parsers> | undefined;

export function loadParsers(): Promise<Parsers> {
  parsers ??= Promise.all([import("rolldown/parseAst"), import("eslint-scope")]).then(
    ([{ parseAst }, { analyze }]) => ({
      parse: (text, options) => parseAst(text, options) as unknown as ESTree.Program,
      analyze: analyze as Parsers["analyze"],
    }),
  );
  return parsers;
}

/** Parses as a module, or, where that fails (sloppy code), as CommonJS. */
export function parseSyntax({ parse, analyze }: Parsers, text: string): SyntaxTree {
  let program: ESTree.Program;
  let sourceType = "module";
  try {
    program = parse(text, { lang: "js", range: true, sourceType });
  } catch {
    sourceType = "commonjs";
    program = parse(text, { lang: "js", range: true, sourceType });
  }
  // Otherwise one direct `eval` leaves all references around it unresolved. What it may do is looked after in `closure.ts`.
  const scopes = analyze(program, { ecmaVersion: 2026, sourceType, ignoreEval: true });
  const top = scopes.globalScope?.childScopes[0] ?? scopes.scopes[0];
  if (top === undefined) throw new TypeError("a program has a scope");
  return { program, scopes, top };
}

export function start(node: SyntaxNode): number {
  return node.range?.[0] ?? 0;
}

export function end(node: SyntaxNode): number {
  return node.range?.[1] ?? 0;
}

export function contains(outer: SyntaxNode, inner: SyntaxNode): boolean {
  return start(outer) <= start(inner) && end(inner) <= end(outer);
}

export function isFunction(node: SyntaxNode): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"
  );
}

export function isClass(node: SyntaxNode): node is ClassNode {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

/** Depth first, parents before children; `visit` answers `false` to skip a node's children. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => unknown): void {
  const ancestors: SyntaxNode[] = [];
  const step = (current: SyntaxNode): void => {
    if (visit(current, ancestors) === false) return;
    ancestors.push(current);
    for (const child of children(current)) step(child);
    ancestors.pop();
  };
  step(node);
}

export function* children(node: SyntaxNode): Generator<SyntaxNode> {
  for (const [key, value] of Object.entries(node)) {
    if (key === "parent" || value === null || typeof value !== "object") continue;
    if (!Array.isArray(value)) {
      if (isNode(value)) yield value;
      continue;
    }
    for (const item of value as unknown[]) if (isNode(item)) yield item;
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "range" in value
  );
}
