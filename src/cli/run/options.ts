import type { MasterFlags } from "../master/choose-master.ts";
import type { OutputFormat } from "../print/record-text.ts";
import type { CommandParams } from "./key-value.ts";

/** What changes the job that a module exports. */
export interface JobModuleOptions {
  readonly name?: string;
  readonly partitions?: number | null;
  readonly params: CommandParams;
  readonly keep?: boolean;
  /** Record CPU profiles; `disco run` prints them at the end. */
  readonly profile?: boolean;
}

/** The options of `disco run`, as commander gives them. */
export interface RunOptions extends JobModuleOptions, MasterFlags {
  readonly workers?: number;
  readonly head: number;
  readonly output?: string;
  readonly format?: OutputFormat;
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
  readonly detach?: boolean;
}
