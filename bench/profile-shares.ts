/**
 * What the time of a job's tasks went into, from the job's own profile (`profile: true`, `docs/profiling.md`). Each sample counts where
 * the topmost function stands, natives and Node's functions with whoever called them:
 *
 *   user       the job's functions, and what they call of V8 and Node: splitting a line into words, stepping a generator of theirs.
 *              Also the engine's stand-in for the `Map` that a combiner gets (`worker/key-buffer.ts`): asking a `Map` would be there
 *   lines      finding line ends, decoding, splitting a text into lines
 *   io         opening, reading and writing files, whoever wants it
 *   collector  collecting garbage, whoever made it: the user's pairs and strings as well
 *   native     outside of JavaScript: compiling, the kernel
 *   loading    importing the job's functions, and V8's first look at all code when a recording begins
 *   engine     all else that is ours: loops, emitting, hashing, writing records
 *
 * Waiting is left out. The figure that is aimed at is user + lines + io, as a share of all of them together. A profiled worker inlines no
 * functions, so that the engine's small ones look more expensive than they are.
 */

export const kinds = ["user", "lines", "io", "collector", "native", "loading", "engine"] as const;
export type Kind = (typeof kinds)[number];

export type Shares = Readonly<Record<Kind, number>>;

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** The part of V8's format that matters here. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

type Found = Kind | "waiting";

/** The first that fits the path of a module of ours counts. */
const modules: readonly (readonly [kind: Kind, pattern: RegExp])[] = [
  ["user", /^worker\/key-buffer\b/],
  ["lines", /^worker\/streams\/(?:lines|line-\w+|decoder|text\w*|batches|concat|counted|input-chain)\b/],
  ["io", /^(?:schemes\/|worker\/storage\/(?:segment-file|read-blocks|run|outputs)\b)/],
  ["loading", /^(?:shipping\/|worker\/(?:bound-job|stage-functions|profile\/))/],
];

const outside: Readonly<Record<string, Found>> = {
  "(garbage collector)": "collector",
  "(program)": "native",
  "(idle)": "waiting",
};

/** Parts of the whole, which add up to 1. Throws `RangeError` for a profile of nothing. */
export function sharesOf({ nodes, samples, timeDeltas }: Profile): Shares {
  const micros = new Map<number, number>();
  for (const [i, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + (timeDeltas[i] ?? 0));
  const sums = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  let whole = 0;
  const known = new Map(nodes.map((node) => [node.id, node]));
  const waiting: [node: ProfileNode, caller: Found][] = nodes[0] === undefined ? [] : [[nodes[0], "native"]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [node, caller] = next;
    const found = kindOf(node.callFrame, caller);
    if (found !== "waiting") {
      sums[found] += micros.get(node.id) ?? 0;
      whole += micros.get(node.id) ?? 0;
    }
    for (const id of node.children ?? []) {
      const child = known.get(id);
      if (child !== undefined) waiting.push([child, found]);
    }
  }
  if (whole === 0) throw new RangeError("the profile has no samples");
  return Object.fromEntries(kinds.map((kind) => [kind, sums[kind] / whole])) as Shares;
}

/** User + lines + io: what the bare loop does as well. */
export function bareShare({ user, lines, io }: Shares): number {
  return user + lines + io;
}

function kindOf({ functionName, url }: ProfileNode["callFrame"], caller: Found): Found {
  if (url.startsWith("disco:")) {
    const file = url.slice("disco:".length);
    // What is loaded is loaded by way of much, and a key is looked up by its hash.
    if (caller === "loading" || (caller === "user" && /^protocol\/hash\b/.test(file))) return caller;
    return modules.find(([, pattern]) => pattern.test(file))?.[0] ?? "engine";
  }
  if (url === "") return outside[functionName] ?? caller;
  if (/^node:(?:internal\/)?fs\b/.test(url)) return caller === "loading" ? caller : "io";
  if (url.startsWith("node:")) return caller;
  return "user";
}
