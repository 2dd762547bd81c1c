/**
 * A module seen as a set of declarations that may travel one by one.
 *
 * *Module level* is the file's top level and, where a tool wrapped the file in a function that is called at once
 * (`(() => { … })()`, tsx for CommonJS), the body of that function as well.
 */
import type { Reference, Scope, ScopeManager, Variable } from "eslint-scope";
import type * as ESTree from "estree";
import {
  type ClassNode,
  contains,
  end,
  type FunctionNode,
  isClass,
  isFunction,
  type SyntaxNode,
  type SyntaxTree,
  start,
  walk,
} from "./syntax.ts";

/** The smallest piece of source that declares something and can stand alone. */
export type Declaration =
  | {
      readonly kind: "import";
      readonly variable: Variable;
      readonly node: ESTree.ImportSpecifier | ESTree.ImportDefaultSpecifier | ESTree.ImportNamespaceSpecifier;
      readonly statement: ESTree.ImportDeclaration;
    }
  | { readonly kind: "function" | "class"; readonly node: ESTree.FunctionDeclaration | ESTree.ClassDeclaration }
  | {
      readonly kind: "variable";
      readonly node: ESTree.VariableDeclarator;
      readonly statement: ESTree.VariableDeclaration;
    }
  /** Declared inside of another statement (`for (var i …)`), from which it cannot be taken. */
  | { readonly kind: "buried"; readonly node: SyntaxNode };

export interface FoundFunction {
  readonly node: FunctionNode | ClassNode;
  /** Outermost first; without `node`. */
  readonly ancestors: readonly SyntaxNode[];
}

export class ModuleAnalysis {
  readonly text: string;
  /** It has `import`, `export` or `import.meta`; otherwise it may be CommonJS. */
  readonly isModule: boolean;
  /** Statements at module level, in order. */
  readonly statements: readonly SyntaxNode[];
  readonly references: readonly Reference[];
  /** Calls of `eval` that see, and may change, every variable around them; `(0, eval)(text)` and `eval?.(text)` do not. */
  readonly evals: readonly SyntaxNode[];
  readonly #scopes: ScopeManager;
  readonly #levels = new Set<Scope>();
  readonly #declarations = new Map<Variable, Declaration>();
  readonly #functions = new Map<number, FoundFunction[]>();

  constructor(text: string, tree: SyntaxTree) {
    this.text = text;
    this.isModule = hasModuleSyntax(tree.program);
    const statements: SyntaxNode[] = [];
    this.statements = statements;
    this.#addLevel(tree, tree.top, tree.program.body, statements);
    const evals: SyntaxNode[] = [];
    this.evals = evals;
    walk(tree.program, (node, ancestors) => {
      if (isDirectEval(node)) evals.push(node);
      if (!isFunction(node) && !isClass(node)) return;
      const outermost = toStringStart(text, node, ancestors.at(-1));
      const found = { node, ancestors: [...ancestors] };
      const others = this.#functions.get(outermost);
      if (others === undefined) this.#functions.set(outermost, [found]);
      else others.push(found);
    });
    this.#scopes = tree.scopes;
    this.references = tree.scopes.scopes.flatMap((scope) => scope.references);
  }

  /** The function whose `toString()` is `fnText` and whose location V8 gives as `offset`. */
  findFunction(fnText: string, offset: number): FoundFunction | undefined {
    for (let at = this.text.lastIndexOf(fnText, offset); at >= 0 && at + fnText.length > offset; ) {
      const found = this.#functions
        .get(at)
        ?.find(({ node, ancestors }) => toStringEnd(node, ancestors.at(-1)) === at + fnText.length);
      if (found !== undefined) return found;
      if (at === 0) break;
      at = this.text.lastIndexOf(fnText, at - 1);
    }
    return undefined;
  }

  /** The scope of a function's parameters and body. */
  scopeOf(node: FunctionNode): Scope | null {
    return this.#scopes.acquire(node as never, true);
  }

  isModuleLevel(variable: Variable): boolean {
    return this.#levels.has(variable.scope);
  }

  declarationOf(variable: Variable): Declaration | undefined {
    return this.#declarations.get(variable);
  }

  moduleVariable(name: string): Variable | undefined {
    for (const scope of this.#levels) {
      const variable = scope.set.get(name);
      if (variable !== undefined && variable.defs.length > 0) return variable;
    }
    return undefined;
  }

  /** References within a piece of source to what is declared outside of it; `null` variables are globals. */
  outwardReferences(piece: SyntaxNode): Reference[] {
    return this.references.filter((reference) => {
      if (!contains(piece, reference.identifier as SyntaxNode)) return false;
      const variable = reference.resolved;
      if (variable === null || this.isModuleLevel(variable)) return true;
      const block = variable.scope.block as SyntaxNode;
      if (contains(piece, block)) return false;
      // A local function may call itself: it is known by its own name wherever it goes.
      return !variable.defs.some((definition) => (definition.node as SyntaxNode) === piece);
    });
  }

  #addLevel(tree: SyntaxTree, scope: Scope, body: readonly SyntaxNode[], statements: SyntaxNode[]): void {
    this.#levels.add(scope);
    for (const statement of body) {
      const wrapper = calledAtOnce(statement);
      const inner = wrapper && tree.scopes.acquire(wrapper as never);
      if (wrapper !== undefined && inner && wrapper.body.type === "BlockStatement" && wrapper.params.length === 0) {
        this.#addLevel(tree, inner, wrapper.body.body, statements);
      } else {
        statements.push(statement);
      }
    }
    for (const variable of scope.variables) {
      const declaration = declarationOf(variable, body);
      if (declaration !== undefined) this.#declarations.set(variable, declaration);
    }
  }
}

function declarationOf(variable: Variable, body: readonly SyntaxNode[]): Declaration | undefined {
  const definition = variable.defs.at(-1);
  if (definition === undefined) return undefined;
  const node = definition.node as SyntaxNode;
  const parent = (definition.parent ?? undefined) as SyntaxNode | undefined;
  if (parent?.type === "ImportDeclaration") {
    return { kind: "import", variable, node: node as never, statement: parent };
  }
  const declaration = parent ?? node;
  const isPlain = body.some((statement) => statement === declaration || exported(statement) === declaration);
  if (isPlain && node.type === "FunctionDeclaration") return { kind: "function", node };
  if (isPlain && node.type === "ClassDeclaration") return { kind: "class", node };
  if (isPlain && node.type === "VariableDeclarator" && parent?.type === "VariableDeclaration") {
    return { kind: "variable", node, statement: parent };
  }
  return { kind: "buried", node };
}

function exported(statement: SyntaxNode): SyntaxNode | undefined {
  if (statement.type === "ExportNamedDeclaration") return statement.declaration ?? undefined;
  if (statement.type === "ExportDefaultDeclaration") return statement.declaration as SyntaxNode;
  return undefined;
}

/** `(() => { … })()` and `(function () { … }).call(this)` as a statement. */
function calledAtOnce(statement: SyntaxNode): FunctionNode | undefined {
  if (statement.type !== "ExpressionStatement") return undefined;
  let expression: SyntaxNode = statement.expression;
  if (expression.type === "UnaryExpression") expression = expression.argument;
  if (expression.type !== "CallExpression") return undefined;
  const { callee } = expression;
  const fn = callee.type === "MemberExpression" ? callee.object : callee;
  return isFunction(fn) && !fn.async && !fn.generator ? fn : undefined;
}

/** Where the text that `toString()` gives begins: methods include their modifiers and name, but not `static`. */
function toStringStart(text: string, node: SyntaxNode, parent: SyntaxNode | undefined): number {
  if (!isMethodOf(node, parent)) return start(node);
  if (parent.type === "Property" || !parent.static) return start(parent);
  const rest = text.slice(start(parent) + "static".length, end(parent));
  return end(parent) - rest.trimStart().length;
}

function toStringEnd(node: SyntaxNode, parent: SyntaxNode | undefined): number {
  return isMethodOf(node, parent) ? end(parent) : end(node);
}

export function isMethodOf(
  node: SyntaxNode,
  parent: SyntaxNode | undefined,
): parent is ESTree.Property | ESTree.MethodDefinition {
  if (parent?.type === "MethodDefinition") return parent.value === node;
  return parent?.type === "Property" && parent.value === node && (parent.method || parent.kind !== "init");
}

function isDirectEval(node: SyntaxNode): boolean {
  if (node.type !== "CallExpression" || node.optional) return false;
  return node.callee.type === "Identifier" && node.callee.name === "eval";
}

function hasModuleSyntax(program: ESTree.Program): boolean {
  if (program.body.some(({ type }) => type.startsWith("Import") || type.startsWith("Export"))) return true;
  let found = false;
  walk(program, (node) => {
    if (node.type === "MetaProperty" && node.meta.name === "import") found = true;
    return !found;
  });
  return found;
}
