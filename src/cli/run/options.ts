import type { RecordFormat } from "../print/record-text.ts";
import type { CommandParams } from "./key-value.ts";

/** The options of `disco run`, as commander gives them. */
export interface RunOptions {
  readonly name?: string;
  readonly partitions?: number | null;
  readonly params: CommandParams;
  readonly keep?: boolean;
  readonly workers?: number;
  readonly root?: string;
  readonly head: number;
  readonly output?: string;
  readonly format?: RecordFormat;
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
}
