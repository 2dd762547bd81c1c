/**
 * The outputs of an earlier stage as the runs that a task has to read. Whatever is wrong with one (gone, short, damaged)
 * becomes a `LostOutput` that names it, so that the master can have exactly that task run again.
 */
import path from "node:path";
import type { Label } from "../../core/job/spec.ts";
import { decodeDirectory } from "../../protocol/output-directory.ts";
import { LostOutput, type TaskOutputRef } from "./lost-output.ts";
import { type OpenFiles, type Run, readExactly } from "./run.ts";

export interface OpenOutputsOptions {
  /** Absolute path of the data directory that `ref.file` is relative to. */
  readonly dataDir: string;
  /** Only this label; default: all, ascending within each task. */
  readonly label?: Label;
  /** Where files are opened; the caller closes it when the records have been read. */
  readonly files: OpenFiles;
}

/** Runs in ascending order of task, label and place in the file. @throws LostOutput. */
export function openOutputs(outputs: readonly TaskOutputRef[], options: OpenOutputsOptions): Run[] {
  const runs: Run[] = [];
  for (const { task, ref, place } of outputs) {
    const origin = { task, ref };
    try {
      const { file: name, at, length: directoryBytes } = place ?? ref;
      const file = path.join(options.dataDir, name);
      const directory = Buffer.allocUnsafe(directoryBytes);
      readExactly(options.files.open(file), directory, directoryBytes, at, file);
      for (const { extents } of decodeDirectory(directory, options.label)) {
        for (const { offset, length, records, sorted } of extents) {
          runs.push({ file, files: options.files, offset, length, records, sorted, origin });
        }
      }
    } catch (error) {
      throw new LostOutput(origin, error);
    }
  }
  return runs;
}
