/**
 * Which of the encodable kinds an object is. Only exact instances of built-in classes count: an instance of a class of the
 * user's own would lose its methods on the way, and one would notice far from the cause. Objects of other realms
 * (`node:vm`) are told by the name of their constructor.
 */
import { types } from "node:util";
import { errorKinds, plainMark, viewKinds } from "./value-tags.ts";

export type ObjectKind =
  | "array"
  | "plain"
  | "null-object"
  | "date"
  | "regexp"
  | "map"
  | "set"
  | "array-buffer"
  | "view"
  | "error"
  | "boxed"
  | "unknown";

/** The kind of an object; `unknown` can not be encoded. */
export function kindOf(value: object): ObjectKind {
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === Object.prototype) return "plain";
  if (proto === Array.prototype) return "array";
  if (proto === null) return "null-object";
  if (types.isProxy(value)) return "unknown";
  const name = constructorName(proto as object);
  if (Array.isArray(value)) return name === "Array" ? "array" : "unknown";
  if (types.isDate(value)) return name === "Date" ? "date" : "unknown";
  if (types.isRegExp(value)) return name === "RegExp" ? "regexp" : "unknown";
  if (types.isMap(value)) return name === "Map" ? "map" : "unknown";
  if (types.isSet(value)) return name === "Set" ? "set" : "unknown";
  if (types.isArrayBuffer(value)) return "array-buffer";
  if (ArrayBuffer.isView(value)) return viewKind(value) >= 0 ? "view" : "unknown";
  if (types.isNativeError(value)) return "error";
  if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? "unknown" : "boxed";
  if (plainMark in value) return "plain";
  if (name === "Object" && Object.getPrototypeOf(proto) === null) return "plain";
  return "unknown";
}

/** Number of a view's kind; a Buffer is a Uint8Array; -1: a subclass of the user's own. */
export function viewKind(value: ArrayBufferView): number {
  const name = constructorName(Object.getPrototypeOf(value) as object);
  if (name === "Buffer") return 0;
  return viewKinds.findIndex((kind) => kind.name === name);
}

/** Number of the nearest built-in kind of an error. */
export function errorKind(value: Error): number {
  for (let i = errorKinds.length - 1; i > 0; i--) if (value instanceof (errorKinds[i] as ErrorConstructor)) return i;
  return 0;
}

function constructorName(proto: object): string {
  const maker: unknown = (proto as { constructor?: unknown }).constructor;
  return typeof maker === "function" ? maker.name : "";
}
