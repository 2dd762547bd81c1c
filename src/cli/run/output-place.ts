/** Where `--output` writes: looked at first, so that hours of work do not end at a folder that is not there. */
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { usageError } from "./job-module.ts";

export async function checkOutput(file: string): Promise<void> {
  if (file === "-") return;
  if ((await kindOf(file)) === "folder") {
    throw usageError(`--output ${file} is a folder`, "Give the name of a file in it.");
  }
  const folder = dirname(resolve(file));
  if ((await kindOf(folder)) !== "folder") {
    throw usageError(`--output ${file}: there is no folder ${folder}`, "Create it, or choose another one.");
  }
}

async function kindOf(path: string): Promise<"folder" | "file" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return "nothing";
  }
}

/** The file appears under its name when it is complete. */
export async function writeWhole(file: string, data: string | Uint8Array): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    await writeFile(partial, data);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
