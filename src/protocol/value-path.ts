/**
 * The slow walk through a value that the writer gave up on: names what can not be encoded and where it is, as an
 * expression that a person can read (`value.users[3].callback`).
 */
import { DiscoError } from "../errors.ts";
import { kindOf } from "./value-kind.ts";
import { valueDepthMax } from "./value-tags.ts";

interface Culprit {
  readonly path: string;
  readonly reason: string;
  readonly hint: string;
}

/** The error for a value that can not be encoded. */
export function explainValue(value: unknown, name: string, functionsAllowed = false): DiscoError {
  const culprit = findCulprit(value, name, new Set(), functionsAllowed);
  if (culprit === null) return new DiscoError(`${name}: cannot be encoded`, { code: "bad-value" });
  return new DiscoError(`${culprit.path}: ${culprit.reason}`, { code: "bad-value", hint: culprit.hint });
}

/** The path of the first occurrence of `target`. */
export function pathTo(root: unknown, target: unknown, name: string): string {
  return search(root, target, name, new Set()) ?? name;
}

function findCulprit(value: unknown, path: string, ancestors: Set<object>, functionsAllowed: boolean): Culprit | null {
  if (typeof value === "function") {
    if (functionsAllowed) return null;
    const hint = "Pass functions through params, and put only data into records.";
    return { path, reason: `a ${value.toString().startsWith("class") ? "class" : "function"} cannot be encoded`, hint };
  }
  if (typeof value === "symbol") {
    return { path, reason: `a symbol (${String(value)}) cannot be encoded`, hint: "Use a string instead." };
  }
  if (typeof value !== "object" || value === null) return null;
  if (ancestors.has(value)) {
    return { path, reason: "a value that contains itself cannot be encoded", hint: "Refer to it by an id instead." };
  }
  if (ancestors.size >= valueDepthMax) {
    const hint = "Flatten it, or encode it to a string yourself.";
    return { path, reason: `more than ${valueDepthMax} levels deep`, hint };
  }
  if (kindOf(value) === "unknown") return { path, ...unknownObject(value) };
  ancestors.add(value);
  for (const [child, childPath] of children(value, path)) {
    const culprit = findCulprit(child, childPath, ancestors, functionsAllowed);
    if (culprit !== null) return culprit;
  }
  ancestors.delete(value);
  return null;
}

function search(value: unknown, target: unknown, path: string, seen: Set<object>): string | null {
  if (value === target) return path;
  if (typeof value !== "object" || value === null || seen.has(value)) return null;
  seen.add(value);
  for (const [child, childPath] of children(value, path)) {
    const found = search(child, target, childPath, seen);
    if (found !== null) return found;
  }
  return null;
}

function* children(value: object, path: string): Iterable<readonly [unknown, string]> {
  switch (kindOf(value)) {
    case "array":
      for (let i = 0; i < (value as unknown[]).length; i++) yield [(value as unknown[])[i], `${path}[${i}]`];
      return;
    case "plain":
    case "null-object":
      for (const key of Object.keys(value)) yield [(value as Record<string, unknown>)[key], path + accessor(key)];
      return;
    case "map": {
      let i = 0;
      for (const [key, item] of value as Map<unknown, unknown>) {
        yield [key, `${path}.keys()[${i}]`];
        yield [item, typeof key === "object" ? `${path}.values()[${i}]` : `${path}.get(${literal(key)})`];
        i++;
      }
      return;
    }
    case "set": {
      let i = 0;
      for (const item of value as Set<unknown>) yield [item, `${path}.values()[${i++}]`];
      return;
    }
    case "error":
      if (Object.hasOwn(value, "cause")) yield [(value as Error).cause, `${path}.cause`];
      if (value instanceof AggregateError) yield [value.errors, `${path}.errors`];
      return;
    default:
  }
}

function accessor(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${literal(key)}]`;
}

function literal(key: unknown): string {
  const text = typeof key === "string" ? JSON.stringify(key) : String(key);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function unknownObject(value: object): { reason: string; hint: string } {
  const maker: unknown = (value as { constructor?: unknown }).constructor;
  const name = typeof maker === "function" && maker.name !== "" ? maker.name : "unknown";
  if (value instanceof Promise) {
    return { reason: "a promise cannot be encoded", hint: "Await it first; an async map is allowed." };
  }
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    return { reason: `a ${name} cannot be encoded`, hint: "Use a Map or a Set instead." };
  }
  const hint = "Convert it to a plain object ({...instance}) and build the instance again where it is needed.";
  return { reason: `an instance of class ${name} cannot be encoded`, hint };
}
