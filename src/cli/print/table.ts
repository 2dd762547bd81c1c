/** A few records as an aligned table: what one looks at after a job. Long cells are cut, with an ellipsis. */
import { inspect } from "node:util";
import { groupDigits } from "../progress/quantity.ts";

const keyCellsMax = 48;

export function formatTable(rows: readonly (readonly [key: unknown, value: unknown])[], columns: number): string[] {
  const cells = rows.map(([key, value]) => [cell(key), cell(value)] as const);
  const keyWidth = Math.min(keyCellsMax, Math.max(0, ...cells.map(([key]) => key.length)));
  const numeric = rows.every(([, value]) => typeof value === "number" || typeof value === "bigint");
  const valueWidth = numeric ? Math.max(0, ...cells.map(([, value]) => value.length)) : 0;
  return cells.map(([key, value]) => {
    const line = `  ${cut(key, keyCellsMax).padEnd(keyWidth)}  ${numeric ? value.padStart(valueWidth) : value}`;
    return cut(line, Math.max(20, columns));
  });
}

function cell(value: unknown): string {
  if (typeof value === "string")
    return value.replace(/[\x00-\x1f\x7f]/g, (character) => JSON.stringify(character).slice(1, -1));
  if (typeof value === "number" && Number.isSafeInteger(value)) return groupDigits(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 4, maxArrayLength: 20 });
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
