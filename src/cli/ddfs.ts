/** The `ddfs` command: tags and blobs of the Disco Distributed Filesystem. */
import { runCommandLine } from "./command-line.ts";

export async function main(args: readonly string[]): Promise<void> {
  const build = async () => (await import("./ddfs/program.ts")).buildDdfsProgram();
  await runCommandLine({ name: "ddfs", build }, args);
}
