/**
 * What travels with a module's job functions: the declarations at module level that they use, directly or through others.
 *
 * A worker must see what the functions see here, or the job must not start. So a variable travels
 *   1. as *source*, when its initialiser gives the same value wherever it runs and nobody else touches it;
 *   2. else as the *value* it has now, when that is data (a list of words read from a file, an awaited answer, a counter);
 *   3. else as source again (functions, instances of classes), with the statements that complete it (enum bodies,
 *      decorators, `X.y = …`), and with an error when statements that stay behind change it.
 * Imports, functions and classes travel as source. Local variables of enclosing functions never travel: an error. Nor does a
 * direct `eval`, which may use all of them; one that stays behind may have changed every variable, so that 2. comes before 1.
 */
import type { Reference, Variable } from "eslint-scope";
import { completes, findChange } from "./changes.ts";
import type { Declaration, FoundFunction, ModuleAnalysis } from "./module-analysis.ts";
import { findAwait, isPure } from "./purity.ts";
import type { ScriptSource } from "./script-source.ts";
import { findTie } from "./surroundings.ts";
import { contains, end, type SyntaxNode, start } from "./syntax.ts";
import { travelError } from "./travel-error.ts";

export interface Root {
  readonly role: string;
  readonly found: FoundFunction;
  /** The variable at module level through which the function is reached; without it its own text travels. */
  readonly variable?: Variable | undefined;
}

export interface LiveModule {
  readonly source: ScriptSource;
  readonly analysis: ModuleAnalysis;
  /** Present values of module-level variables; absent when unknown. */
  readonly values: (names: ReadonlySet<string>) => ReadonlyMap<string, unknown>;
  /** Whether a value may travel as data. */
  readonly isData: (value: unknown) => boolean;
}

export interface Closure {
  readonly imports: ReadonlySet<Extract<Declaration, { kind: "import" }>>;
  /** Functions, classes, declarators and completing statements. */
  readonly pieces: ReadonlySet<SyntaxNode>;
  readonly declarations: ReadonlyMap<SyntaxNode, Declaration>;
  readonly values: ReadonlyMap<string, unknown>;
  /** `require`, `module` … of a CommonJS file, where they are used. */
  readonly commonJsNames: ReadonlySet<string>;
}

const commonJsNames = new Set(["require", "module", "exports", "__filename", "__dirname"]);

export function closureOf(live: LiveModule, roots: readonly Root[]): Closure {
  for (const root of roots) checkTies(live, root);
  // First as if everything travelled as source: that tells which variables matter and who touches them.
  const widest = new Gathering(live, () => false);
  widest.gather(roots);
  const doubtful = new Set([...widest.variables].filter((variable) => !isSettled(live, variable, widest)));
  if (doubtful.size === 0) return widest;
  const present = live.values(new Set([...doubtful].map(({ name }) => name)));
  const asValue = new Set([...doubtful].filter(({ name }) => present.has(name) && live.isData(present.get(name))));
  const closure = new Gathering(live, (variable) => asValue.has(variable));
  closure.gather(roots);
  for (const variable of closure.valueVariables) closure.values.set(variable.name, present.get(variable.name));
  for (const variable of closure.variables) if (doubtful.has(variable)) checkAsSource(live, variable, closure, present);
  for (const variable of closure.variables) checkChanges(live, variable, closure);
  return closure;
}

class Gathering implements Closure {
  readonly imports = new Set<Extract<Declaration, { kind: "import" }>>();
  readonly pieces = new Set<SyntaxNode>();
  readonly declarations = new Map<SyntaxNode, Declaration>();
  readonly values = new Map<string, unknown>();
  readonly commonJsNames = new Set<string>();
  /** Those that travel as source, except for imports. */
  readonly variables = new Set<Variable>();
  readonly valueVariables = new Set<Variable>();
  readonly roles = new Map<Variable, string>();
  readonly roots = new Set<SyntaxNode>();
  readonly #live: LiveModule;
  readonly #asValue: (variable: Variable) => boolean;

  constructor(live: LiveModule, asValue: (variable: Variable) => boolean) {
    this.#live = live;
    this.#asValue = asValue;
  }

  gather(roots: readonly Root[]): void {
    for (const { role, found, variable } of roots) {
      if (variable !== undefined) {
        this.#need(variable, role);
        continue;
      }
      this.roots.add(found.node);
      this.#follow(found.node, role);
    }
  }

  /** Inside of what travels, other than statements that complete a declaration. */
  declares(node: SyntaxNode): boolean {
    for (const piece of this.declarations.keys()) if (contains(piece, node)) return true;
    for (const root of this.roots) if (contains(root, node)) return true;
    return false;
  }

  travels(node: SyntaxNode): boolean {
    for (const piece of this.pieces) if (contains(piece, node)) return true;
    for (const root of this.roots) if (contains(root, node)) return true;
    return false;
  }

  #follow(piece: SyntaxNode, role: string): void {
    const { analysis } = this.#live;
    const directEval = analysis.evals.find((call) => contains(piece, call));
    if (directEval !== undefined) throw evaluating(this.#live, directEval, role);
    const locals: Reference[] = [];
    for (const reference of analysis.outwardReferences(piece)) {
      const variable = reference.resolved;
      if (variable === null) this.#needGlobal(reference, role);
      else if (!analysis.isModuleLevel(variable)) locals.push(reference);
      else this.#need(variable, role, reference);
    }
    if (locals.length > 0) throw captured(this.#live, locals, role);
  }

  #need(variable: Variable, role: string, reference?: Reference): void {
    if (this.variables.has(variable) || this.valueVariables.has(variable)) return;
    const declaration = this.#live.analysis.declarationOf(variable);
    if (declaration === undefined) {
      if (reference !== undefined && commonJsNames.has(variable.name)) this.#needGlobal(reference, role);
      return; // the module function's own `arguments`
    }
    this.roles.set(variable, role);
    if (declaration.kind === "import") {
      this.imports.add(declaration);
      return;
    }
    if (this.#asValue(variable)) {
      this.valueVariables.add(variable);
      return;
    }
    this.variables.add(variable);
    if (declaration.kind !== "buried") this.#take(declaration.node, role, declaration);
    for (const statement of this.#live.analysis.statements) {
      if (completes(statement, variable)) this.#take(statement, role);
    }
  }

  #take(piece: SyntaxNode, role: string, declaration?: Declaration): void {
    if (this.pieces.has(piece)) return;
    this.pieces.add(piece);
    if (declaration !== undefined) this.declarations.set(piece, declaration);
    this.#follow(piece, role);
  }

  #needGlobal({ identifier }: Reference, role: string): void {
    const { analysis } = this.#live;
    if (analysis.isModule || !commonJsNames.has(identifier.name)) return;
    this.commonJsNames.add(identifier.name);
    if (identifier.name !== "exports") return;
    // Compilers to CommonJS keep exported constants in `exports` alone.
    const member = /^\.([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(analysis.text.slice(end(identifier as SyntaxNode)));
    if (member === null) return;
    const assignment = new RegExp(`^exports\\.${(member[1] as string).replaceAll("$", "\\$")}\\s*=[^=]`);
    for (const statement of analysis.statements) {
      if (assignment.test(analysis.text.slice(start(statement), end(statement)))) this.#take(statement, role);
    }
  }
}

/** Travels as source without a question: same value everywhere, and nothing that stays behind refers to it. */
function isSettled({ analysis }: LiveModule, variable: Variable, widest: Gathering): boolean {
  const declaration = analysis.declarationOf(variable);
  if (declaration === undefined || declaration.kind === "buried") return false;
  if (declaration.kind !== "variable") return true;
  const { node, statement } = declaration;
  const isConstant = statement.kind === "const";
  if (isConstant && node.init?.type === "Literal") return true;
  // It may change whatever it sees.
  if (analysis.evals.length > 0) return false;
  if (!isPure(node.init, variable.scope)) return false;
  // A variable that is assigned, even by what travels, has a present value of its own.
  if (!isConstant && variable.references.some((reference) => reference.isWrite() && !reference.init)) return false;
  return variable.references.every(({ init, identifier }) => init || widest.declares(identifier as SyntaxNode));
}

function checkTies({ source }: LiveModule, { role, found, variable }: Root): void {
  const tie = findTie(found);
  if (tie === undefined) return;
  // A class travels as a whole, with its private names; but nobody calls its method on anything.
  if (variable !== undefined && !tie.isOwn) return;
  // Functions in params are called on the params object itself, as here.
  if (tie.isOwn && role.startsWith("params")) return;
  throw travelError(
    { source },
    {
      code: "captured-variable",
      message: `${role} uses \`${tie.what}\`${tie.isOwn ? "" : " of what is around it"}, which does not exist on a worker`,
      hint: `Pass what ${role} needs in \`params\`: it is the last argument of every job function.`,
      offset: start(tie.node),
      length: end(tie.node) - start(tie.node),
    },
  );
}

/** Nobody knows which names its text will use: it would miss those on a worker that nothing else names. */
function evaluating({ source }: LiveModule, call: SyntaxNode, role: string): Error {
  return travelError(
    { source },
    {
      code: "unsupported-function",
      message: `${role} uses a direct \`eval\`, whose text may use any variable of the module: which ones have to travel is unknown`,
      hint: 'Write `(0, eval)(text)`, which sees global names only, or `new Function("name", text)(value)` with what it needs.',
      offset: start(call),
      length: "eval".length,
    },
  );
}

/** Names all of them at once: nobody should have to find the next one by another try. */
function captured({ source }: LiveModule, references: readonly Reference[], role: string): Error {
  const isPackaged = source.path.includes("node_modules");
  const inOrder = references.toSorted((a, b) => start(a.identifier as SyntaxNode) - start(b.identifier as SyntaxNode));
  const { identifier } = inOrder[0] as Reference;
  const names = [...new Set(inOrder.map((reference) => reference.identifier.name))];
  const isOne = names.length === 1;
  const what = isOne ? "the local variable" : "the local variables";
  const where = isOne ? "the function or block around it" : "what is around it";
  const variables = names.filter((name) => name !== "arguments");
  const pronoun = variables.length === 1 ? "it" : "them";
  return travelError(
    { source },
    {
      code: "captured-variable",
      message: `${role} captures ${what} ${listed(names)} of ${where}, which ${isOne ? "does" : "do"} not exist on a worker`,
      hint: isPackaged
        ? `Wrap the package's function in an arrow function of your own: \`${role}: (entry) => fn(entry)\`.`
        : variables.length === 0
          ? `Declare the parameters of ${role} by name.`
          : `Pass ${pronoun} in \`params\` (\`params: { ${variables.join(", ")} }\`, then \`params.${variables[0]}\` in ${role}), or declare ${pronoun} at the top level of the module.`,
      offset: start(identifier as SyntaxNode),
      length: identifier.name.length,
    },
  );
}

/** `a`, `b` and `c`, quoted. */
function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  const last = quoted.pop() as string;
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}

/** A variable that is not data, although its initialiser may give something else on a worker. */
function checkAsSource(
  live: LiveModule,
  variable: Variable,
  closure: Gathering,
  present: ReadonlyMap<string, unknown>,
): void {
  const { source, analysis } = live;
  const role = closure.roles.get(variable) ?? "a job function";
  const declaration = analysis.declarationOf(variable);
  const node = declaration?.node as SyntaxNode;
  const problem = { offset: start(node), length: variable.name.length };
  const value = present.get(variable.name);
  const className = typeof value === "object" && value !== null ? value.constructor?.name : undefined;
  if (className === "Disco" || className === "Job") {
    throw travelError(
      { source },
      {
        ...problem,
        code: "captured-variable",
        message: `${role} uses \`${variable.name}\`, a ${className} of this process, which does not exist on a worker`,
        hint: "Job functions cannot start or watch jobs; do that between jobs, in your script.",
      },
    );
  }
  const awaited = declaration?.kind === "variable" ? findAwait(declaration.node) : undefined;
  if (awaited === undefined && declaration?.kind !== "buried") return;
  throw travelError(
    { source },
    {
      ...problem,
      code: "captured-variable",
      message: awaited
        ? `${role} uses \`${variable.name}\`, whose value was awaited and is not plain data, so that it cannot be sent to a worker`
        : `${role} uses \`${variable.name}\`, which is declared inside of another statement and is not plain data`,
      hint: `Pass plain data in \`params\`, or make \`${variable.name}\` inside of a function (\`mapInit\`, for instance).`,
    },
  );
}

function checkChanges({ source, analysis }: LiveModule, variable: Variable, closure: Gathering): void {
  const declaration = analysis.declarationOf(variable);
  const change = findChange(analysis, variable, (node) => closure.travels(node));
  if (change === undefined || declaration?.kind === "function") return;
  const role = closure.roles.get(variable) ?? "a job function";
  throw travelError(
    { source },
    {
      code: change.kind === "assigned" ? "reassigned-variable" : "mutated-variable",
      message: `${role} uses \`${variable.name}\`, which is ${change.kind === "assigned" ? "assigned again" : "changed"} here, by a statement that does not run on workers; its value is not plain data that could be sent instead`,
      hint: `Complete \`${variable.name}\` where it is declared, or pass what ${role} needs in \`params\`.`,
      offset: start(change.node),
      length: end(change.node) - start(change.node),
    },
  );
}
