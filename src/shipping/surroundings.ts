/** What ties a function to the place where it stands, other than variables: `this`, `super`, `new.target`, private names. */
import type { FoundFunction } from "./module-analysis.ts";
import { isMethodOf } from "./module-analysis.ts";
import { isClass, isFunction, type SyntaxNode, walk } from "./syntax.ts";

export interface Tie {
  /** As the user wrote it: `this`, `super`, `new.target`, `#name`. */
  readonly what: string;
  readonly node: SyntaxNode;
  /** Its own `this` (a method's), as opposed to that of a function around it. */
  readonly isOwn: boolean;
}

export function findTie({ node, ancestors }: FoundFunction): Tie | undefined {
  const isArrow = node.type === "ArrowFunctionExpression";
  const isMethod = isMethodOf(node, ancestors.at(-1));
  // At the top level of a module `this` is undefined here as there.
  const isEnclosed = ancestors.some(
    (outer) => (isFunction(outer) && outer.type !== "ArrowFunctionExpression") || isClass(outer),
  );
  const privateNames = new Set<string>();
  walk(node, (inner) => {
    if (inner.type === "ClassBody")
      for (const member of inner.body) if ("key" in member) addPrivate(member.key, privateNames);
  });
  let tie: Tie | undefined;
  walk(node, (inner, path) => {
    if (tie !== undefined) return false;
    if (inner.type === "PrivateIdentifier" && !privateNames.has(inner.name)) {
      tie = { what: `#${inner.name}`, node: inner, isOwn: false };
      return false;
    }
    const word = ownWord(inner);
    if (word === undefined) return true;
    const isNested = path.some((outer) => outer !== node && hasOwnThis(outer)) || (isClass(node) && path.length > 0);
    if (isNested) return true;
    if (isArrow && isEnclosed) tie = { what: word, node: inner, isOwn: false };
    else if (isMethod && word !== "new.target") tie = { what: word, node: inner, isOwn: word === "this" };
    return true;
  });
  return tie;
}

function ownWord(node: SyntaxNode): string | undefined {
  if (node.type === "ThisExpression") return "this";
  if (node.type === "Super") return "super";
  if (node.type === "MetaProperty" && node.meta.name === "new") return "new.target";
  return undefined;
}

function hasOwnThis(node: SyntaxNode): boolean {
  return (
    (isFunction(node) && node.type !== "ArrowFunctionExpression") ||
    node.type === "PropertyDefinition" ||
    node.type === "StaticBlock"
  );
}

function addPrivate(key: SyntaxNode, names: Set<string>): void {
  if (key.type === "PrivateIdentifier") names.add(key.name);
}
