/** The `disco` command. */
import { runCommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";

/** What somebody types who forgot the `run`. */
const moduleFile = /^[^-].*\.[cm]?[jt]s$/;

export async function main(args: readonly string[]): Promise<void> {
  const [first] = args;
  if (first !== undefined && moduleFile.test(first)) {
    process.stderr.write(`disco: ${first} is a file; to run the job in it: disco run ${args.join(" ")}\n`);
    process.exitCode = exitCodes.usage;
    return;
  }
  const build = async () => (await import("./program.ts")).buildProgram();
  await runCommandLine({ name: "disco", build, ...(first === "run" ? { printFailure } : {}) }, args);
}

/** `disco run --json` always prints its document. */
async function printFailure(failure: unknown): Promise<void> {
  (await import("./print/document.ts")).printDocument({ jobs: [], results: null, failure });
}
