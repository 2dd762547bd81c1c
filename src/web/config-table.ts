/** Disco's configuration table, changed by a row. */
import type { ConfigTable } from "../client/master-api.ts";

/** The table with the node's number of slots; `null` takes its row away, so that the node offers what it has. */
export function withSlots(table: ConfigTable, node: string, slots: number | null): ConfigTable {
  const row = slots === null ? [] : [[node, String(slots)] as const];
  const at = table.findIndex(([name]) => name === node);
  return at < 0 ? [...table, ...row] : [...table.slice(0, at), ...row, ...table.slice(at + 1)];
}

/** The number that somebody typed; `null` when it is none. */
export function slotsOf(text: string): number | null {
  const trimmed = text.trim();
  return /^\d{1,5}$/.test(trimmed) ? Number(trimmed) : null;
}
