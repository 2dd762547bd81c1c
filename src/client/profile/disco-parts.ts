/**
 * What Disco, Node and V8 do in a task, under names that say what it is good for. A line of the table is a function only where it is
 * the user's: of Disco's, people want to know that it sorted, not in which of its functions.
 */
import type { CallTree, Frame } from "../../worker/profile/call-tree.ts";

/** Whose code a line of the table is. */
export type Origin = "user" | "disco" | "node" | "native" | "engine";

export interface Attribution {
  readonly origin: Origin;
  /** `null`: the function's own name. */
  readonly part: string | null;
}

/** What Node does between the turns of a program, until it calls one of its functions. */
const eventLoop: Attribution = { origin: "engine", part: "(event loop)" };
const rootPart = "(root)";

/** Folders and files below `src/` without their endings; the first that fits counts. */
const parts: readonly (readonly [part: string, pattern: RegExp])[] = [
  ["load", /^(?:shipping\/|worker\/(?:bound-job|stage-functions|own)\b)/],
  ["write", /^worker\/(?:task-output|streams\/output-chain|storage\/(?:\w+-writer|label-order|segment-file))\b/],
  ["write", /^protocol\/block-(?:column|dictionary|move|payload|records|text)\b/],
  ["sort", /^(?:worker\/storage\/(?:record-sorter|radix-sort|sorted-columns|\w+-order|merge)|protocol\/order)/],
  ["read", /^(?:schemes\/|worker\/(?:streams\/|storage\/|\w+-input\b))/],
  ["group", /^worker\/kvgroup/],
  ["combine", /^worker\/(?:combine|key-buffer|flush-rhythm)/],
  ["partition", /^(?:worker\/partition|protocol\/hash)/],
  ["profile", /^worker\/profile\//],
  ["run", /^worker\//],
];

/** Whose each node is: those before it are known, its parent's among them. */
export function attribute(tree: CallTree): Attribution[] {
  const found: Attribution[] = [];
  for (const [node, parent] of tree.parents.entries()) {
    const caller = found[parent];
    const above = caller?.part === rootPart ? eventLoop : caller;
    found.push(attributionOf(tree.frame(node), above?.origin === "user" ? undefined : above));
  }
  return found;
}

/** `caller` is not the user's: what serves it belongs to it. A value is encoded, a file is opened, in order to write. */
function attributionOf({ name, url }: Frame, caller: Attribution | undefined): Attribution {
  if (url.startsWith("disco:")) {
    const file = url.slice("disco:".length);
    const part = parts.find(([, pattern]) => pattern.test(file))?.[0];
    if (part !== undefined) return { origin: "disco", part: `(disco) ${part}` };
    return caller?.origin === "disco" ? caller : { origin: "disco", part: "(disco) other" };
  }
  if (url === "") {
    // `(program)`, `(idle)`, `(garbage collector)`, `(other)`: not called by anybody.
    if (/^\(.*\)$/.test(name) && name !== "(anonymous)") return { origin: "engine", part: name };
    return caller ?? { origin: "native", part: `(native) ${name}` };
  }
  if (url.startsWith("node:")) return caller ?? { origin: "node", part: `(node) ${nodeModule(url)}` };
  if (url.startsWith("wasm:") && caller !== undefined) return caller;
  return { origin: "user", part: null };
}

/** `fs` of `node:fs` and of `node:internal/fs/utils`. */
function nodeModule(url: string): string {
  return /^node:(?:internal\/)?([^/]+)/.exec(url)?.[1] ?? url;
}
