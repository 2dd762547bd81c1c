/** Whether what another node sent asks for outputs: nothing of it is believed before. */
import { filesPerRequestMax, type OutputsRequest, outputsPerRequestMax } from "../../protocol/output-frames.ts";

const pathCharsMax = 4096;

export function isOutputsRequest(value: unknown): value is OutputsRequest {
  if (typeof value !== "object" || value === null) return false;
  const { label, files, outputs } = value as Partial<Record<keyof OutputsRequest, unknown>>;
  return (
    (label === undefined || isWhole(label)) &&
    Array.isArray(files) &&
    files.length <= filesPerRequestMax &&
    files.every((file) => typeof file === "string" && file.length <= pathCharsMax) &&
    Array.isArray(outputs) &&
    outputs.length <= outputsPerRequestMax &&
    outputs.every((row) => isRow(row, files.length))
  );
}

function isRow(row: unknown, files: number): boolean {
  return Array.isArray(row) && row.length === 3 && row.every(isWhole) && (row[0] as number) < files;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
