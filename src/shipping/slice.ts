/** One module's job functions, cut out of it with what they need, as a module of its own. */
import { type Closure, closureOf, type LiveModule } from "./closure.ts";
import { directYields, type EmitNames, emitNames, type Replacement, replaced } from "./direct-yields.ts";
import { isMethodOf } from "./module-analysis.ts";
import { chooseTarget, pathInside, type SliceRoot, type Target } from "./slice-target.ts";
import { type Insertion, type SlicePiece, sliceText } from "./slice-text.ts";
import { contains, end, type SyntaxNode, start, walk } from "./syntax.ts";

export interface Slice {
  readonly text: string;
  readonly insertions: readonly Insertion[];
  /** Name of the export that is the function, for each root. */
  readonly exports: readonly string[];
  /** The roots that call an emitter instead of yielding, and the export through which they get it. */
  readonly emitters: { readonly roots: ReadonlySet<number>; readonly export: string } | null;
  /** Specifiers of the imports, `import()` and `require` calls that travel, where they are literals. */
  readonly specifiers: readonly string[];
  /** Variables whose values the module takes, when it is loaded, from `globalThis[Symbol.for(valuesSymbol)].get(key)`. */
  readonly values: ReadonlyMap<string, unknown>;
}

/** Key of the registry, a Map, of values that were sent along. The loader fills it before it loads a slice. */
export const valuesSymbol = "disco-mapreduce.values";
/** Stands in a slice's text for the key of its values, which is known only when they are encoded. */
export const valuesKeyMark = "%disco-values%";

/** What gives `require` to a slice of a CommonJS file. */
export const requireDefinition =
  /import\{createRequire as \S+?\}from"node:module";const require=\S+?\(import\.meta\.url\);/;

export function sliceModule(live: LiveModule, roots: readonly SliceRoot[]): Slice {
  const prefix = freePrefix(live.analysis.text);
  const targets = roots.map((root) => chooseTarget(live, root));
  const closure = closureOf(
    live,
    roots.map((root, index) => ({ ...root, variable: targets[index]?.variable })),
  );
  const kept = outermost(closure.pieces);
  const names = emitNames(live.analysis.text);
  const direct = directRoots(live, roots, targets, kept, names);
  // As long as the original: all positions hold.
  const text = replaced(live.analysis.text, [...direct.values()].flat());
  const pieces: SlicePiece[] = kept.map((node) => declarationPiece(text, closure, node));
  const tail: string[] = [];
  const exportNames = roots.map((_, index) => `${prefix}${index}`);
  for (const [index, root] of roots.entries()) {
    const name = exportNames[index] as string;
    const { node } = root.found;
    const holder = kept.find((piece) => contains(piece, node));
    const expression = targets[index]?.expression ?? (holder && pathInside(live, holder, root));
    const first = roots.findIndex(
      (other, position) => other.found.node === node && targets[position]?.expression === undefined,
    );
    if (expression !== undefined) tail.push(`var ${name}=${expression};`);
    else if (first < index) tail.push(`var ${name}=${prefix}${first};`);
    else {
      const piece = functionPiece(root, name, prefix);
      // Where its text already travels as a part of something else, it needs a copy: only that copy's positions are lost.
      if (holder === undefined) pieces.push(piece);
      else
        tail.push(
          `\nvar ${name}=${piece.before.slice(piece.before.indexOf("=") + 1)}${text.slice(piece.start, piece.end)}${piece.after}`,
        );
    }
  }
  if (
    pieces.some(({ before }) => before.endsWith(`${prefix}m({`)) ||
    tail.some((part) => part.includes(`${prefix}m({`))
  ) {
    tail.push(methodReader(prefix));
  }
  const inline = inlineNames(pieces, exportNames);
  if (inline !== "") tail.push(`var ${inline};`);
  const emitters = direct.size === 0 ? null : { roots: new Set(direct.keys()), export: `${prefix}e` };
  if (emitters !== null) tail.push(`function ${emitters.export}(p,a){${names.pair}=p;${names.all}=a}`);
  tail.push(`export{${[...exportNames, ...(emitters === null ? [] : [emitters.export])].join(",")}};`);
  const head = `${headOf(closure, prefix)}${emitters === null ? "" : `let ${names.pair},${names.all};`}`;
  const { text: sliced, insertions } = sliceText(text, pieces, head, tail.join(""));
  return {
    text: sliced,
    insertions,
    exports: exportNames,
    emitters,
    specifiers: specifiersOf(closure, roots),
    values: closure.values,
  };
}

/** The roots that need not be generators (`direct-yields.ts`), with what is to be replaced in each. */
function directRoots(
  live: LiveModule,
  roots: readonly SliceRoot[],
  targets: readonly Target[],
  kept: readonly SyntaxNode[],
  names: EmitNames,
): Map<number, readonly Replacement[]> {
  const direct = new Map<number, readonly Replacement[]>();
  for (const [index, { found, isEmitted }] of roots.entries()) {
    const { node } = found;
    if (isEmitted !== true) continue;
    const others = roots.filter((_, position) => position !== index).map((root) => root.found.node);
    if (others.some((other) => contains(other, node) || contains(node, other))) continue;
    const { variable, expression } = targets[index] as Target;
    const travelling = [...kept, ...roots.map((root) => root.found.node)];
    const isCalledElsewhere =
      variable === undefined
        ? kept.some((piece) => contains(piece, node))
        : expression !== variable.name ||
          variable.references.some(
            ({ init, identifier }) =>
              init !== true && travelling.some((piece) => contains(piece, identifier as SyntaxNode)),
          );
    const replacements = isCalledElsewhere ? null : directYields(live.analysis, found, names);
    if (replacements !== null) direct.set(index, replacements);
  }
  return direct;
}

/** A prefix for names of ours that the file does not use. */
function freePrefix(text: string): string {
  let prefix = "$f";
  while (text.includes(prefix)) prefix = `$${prefix}`;
  return prefix;
}

function inlineNames(pieces: readonly SlicePiece[], names: readonly string[]): string {
  const assigned = names.filter((name) => pieces.some(({ before }) => before.startsWith(`;${name}=`)));
  return assigned.join(",");
}

function outermost(nodes: ReadonlySet<SyntaxNode>): SyntaxNode[] {
  const all = [...nodes];
  return all.filter((node) => !all.some((other) => other !== node && contains(other, node)));
}

function declarationPiece(text: string, closure: Closure, node: SyntaxNode): SlicePiece {
  const declaration = closure.declarations.get(node);
  const span = { start: start(node), end: end(node) };
  if (declaration?.kind === "variable") return { ...span, before: `${declaration.statement.kind} `, after: ";" };
  if (declaration !== undefined) return { ...span, before: ";", after: ";" };
  return { ...span, before: ";", after: text[span.end - 1] === ";" ? "" : ";" };
}

/** A function's own text, in a variable. A method's text is one only inside of an object. */
function functionPiece({ found }: SliceRoot, name: string, prefix: string): SlicePiece {
  const { node, ancestors } = found;
  const holder = ancestors.at(-1);
  if (!isMethodOf(node, holder)) return { start: start(node), end: end(node), before: `;${name}=`, after: ";" };
  return { start: start(holder), end: end(holder), before: `;${name}=${prefix}m({`, after: "});" };
}

function methodReader(prefix: string): string {
  return `function ${prefix}m(o){const d=Object.getOwnPropertyDescriptor(o,Reflect.ownKeys(o)[0]);return d.value??d.get??d.set}`;
}

function headOf(closure: Closure, prefix: string): string {
  const parts: string[] = [];
  for (const { node, statement } of closure.imports) {
    const from = statement.source.raw ?? JSON.stringify(statement.source.value);
    const local = node.local.name;
    if (node.type === "ImportDefaultSpecifier") parts.push(`import ${local} from${from}`);
    else if (node.type === "ImportNamespaceSpecifier") parts.push(`import*as ${local} from${from}`);
    else {
      const imported = node.imported.type === "Identifier" ? node.imported.name : node.imported.raw;
      parts.push(`import{${imported} as ${local}}from${from}`);
    }
    if (statement.attributes.length === 0) parts.push(";");
    else
      parts.push(
        `with{${statement.attributes.map(({ key, value }) => `${"name" in key ? key.name : key.raw}:${value.raw}`).join(",")}};`,
      );
  }
  const names = closure.commonJsNames;
  if (names.has("require"))
    parts.push(`import{createRequire as ${prefix}r}from"node:module";const require=${prefix}r(import.meta.url);`);
  if (names.has("module") || names.has("exports")) parts.push("const module={exports:{}},exports=module.exports;");
  if (names.has("__filename")) parts.push("const __filename=import.meta.filename;");
  if (names.has("__dirname")) parts.push("const __dirname=import.meta.dirname;");
  if (closure.values.size > 0) {
    parts.push(
      `let{${[...closure.values.keys()].join(",")}}=globalThis[Symbol.for("${valuesSymbol}")].get("${valuesKeyMark}");`,
    );
  }
  return parts.join("");
}

function specifiersOf(closure: Closure, roots: readonly SliceRoot[]): string[] {
  const specifiers = new Set<string>();
  for (const { statement } of closure.imports) specifiers.add(String(statement.source.value));
  for (const piece of [...closure.pieces, ...roots.map(({ found }) => found.node)]) {
    walk(piece, (node) => {
      const argument =
        node.type === "ImportExpression"
          ? node.source
          : node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "require"
            ? node.arguments[0]
            : undefined;
      if (argument?.type === "Literal" && typeof argument.value === "string") specifiers.add(argument.value);
    });
  }
  return [...specifiers];
}
