/** Labels of a node: `gpu=a100,rack=3`, a list of such pairs, or a table in TOML. */
import type { ValueType } from "./value-type.ts";

export type Labels = Readonly<Record<string, string>>;

export const labels: ValueType<Labels> = {
  expects: "labels such as gpu=a100,rack=3",
  read: (raw) => {
    const pairs = pairsOf(raw);
    if (pairs === null) return null;
    const found = new Map<string, string>();
    for (const [key, value] of pairs) {
      if (!/^[\w.-]+$/.test(key) || key === "__proto__" || found.has(key)) return null;
      if (!/^[^\p{Cc},]+$/u.test(value)) return null;
      found.set(key, value);
    }
    return { value: Object.fromEntries(found) };
  },
  show: (value) => {
    const pairs = Object.entries(value).map(([key, text]) => `${key}=${text}`);
    return pairs.length === 0 ? "none" : pairs.join(",");
  },
};

function pairsOf(raw: unknown): (readonly [key: string, value: string])[] | null {
  if (typeof raw === "string") return split(raw.split(","));
  if (Array.isArray(raw)) return raw.every((pair) => typeof pair === "string") ? split(raw) : null;
  if (typeof raw !== "object" || raw === null || raw instanceof Date) return null;
  const entries = Object.entries(raw);
  const plain = entries.every(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return plain ? entries.map(([key, value]) => [key, String(value)] as const) : null;
}

function split(pairs: readonly string[]): (readonly [key: string, value: string])[] | null {
  const found = pairs.map((pair) => /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(pair));
  return found.every((match) => match !== null) ? found.map(([, key = "", value = ""]) => [key, value] as const) : null;
}
