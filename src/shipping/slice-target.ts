/** How a slice reaches a job function: through a declaration at module level, or by the function's own text. */
import type { Variable } from "eslint-scope";
import type { LiveModule, Root } from "./closure.ts";
import type { JobFunction } from "./job-function.ts";
import { isClass, type SyntaxNode, start } from "./syntax.ts";
import { travelError } from "./travel-error.ts";

export interface SliceRoot extends Root {
  readonly fn: JobFunction;
  /** All that is done with its pairs is to emit them: it is called as a map or reduce, and as nothing else. */
  readonly isEmitted?: boolean;
}

export interface Target {
  /** What has to travel for `expression`. Both are absent when the function's own text travels. */
  readonly variable?: Variable;
  readonly expression?: string;
}

export function chooseTarget(live: LiveModule, root: SliceRoot): Target {
  const { node, ancestors } = root.found;
  const holder = ancestors.at(-1);
  const owner = isClass(node) || node.type === "FunctionDeclaration" ? node : holder;
  const declared = moduleVariableOf(live, owner?.type === "VariableDeclarator" ? owner : node);
  if (declared !== undefined) return { variable: declared, expression: declared.name };
  if (holder?.type !== "MethodDefinition" && holder?.type !== "PropertyDefinition") return {};
  return classMember(live, root);
}

/** `expression` that gives `root.fn` from within a declaration that travels anyway, if there is one. */
export function pathInside(live: LiveModule, piece: SyntaxNode, root: SliceRoot): string | undefined {
  const variable = moduleVariableOf(live, piece);
  if (variable === undefined) return undefined;
  const within = root.found.ancestors.slice(root.found.ancestors.indexOf(piece) + 1);
  let expression = variable.name;
  let value = live.values(new Set([variable.name])).get(variable.name);
  for (const node of within) {
    if (node.type !== "Property" || node.computed) continue;
    const key =
      node.key.type === "Identifier" ? node.key.name : node.key.type === "Literal" ? String(node.key.value) : "";
    expression += `[${JSON.stringify(key)}]`;
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value === root.fn ? expression : undefined;
}

function moduleVariableOf(live: LiveModule, node: SyntaxNode | undefined): Variable | undefined {
  if (node === undefined) return undefined;
  const name = "id" in node && node.id?.type === "Identifier" ? node.id.name : undefined;
  const variable = name === undefined ? undefined : live.analysis.moduleVariable(name);
  return variable && live.analysis.declarationOf(variable)?.node === node ? variable : undefined;
}

/** A method taken from its class: it may use private names and `super`, so the whole class travels. */
function classMember(live: LiveModule, { found, role }: SliceRoot): Target {
  const owner = found.ancestors.findLast(isClass);
  const holder = owner && found.ancestors[found.ancestors.indexOf(owner) - 1];
  const variable = moduleVariableOf(live, holder?.type === "VariableDeclarator" ? holder : owner);
  const member = found.ancestors.at(-1);
  if (variable !== undefined && (member?.type === "MethodDefinition" || member?.type === "PropertyDefinition")) {
    const { key, computed } = member;
    const name =
      key.type === "Identifier" && !computed ? key.name : key.type === "Literal" ? String(key.value) : undefined;
    const path = member.static ? "" : ".prototype";
    const isReachable = member.type === "MethodDefinition" ? member.kind === "method" : member.static;
    if (name !== undefined && member.value === found.node && isReachable) {
      return { variable, expression: `${variable.name}${path}[${JSON.stringify(name)}]` };
    }
  }
  throw travelError(live, {
    code: "unsupported-function",
    message: `${role} is a member of a class that is not declared at the top level of its module, or has no name outside of it`,
    hint: `Write ${role} as a function of its own.`,
    offset: start(found.node),
    length: 1,
  });
}
