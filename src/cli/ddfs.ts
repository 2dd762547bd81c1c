/** `ddfs`: Disco's distributed file system comes with a later release; until then the command says so. */

import { packageVersion } from "../package-version.ts";
import { exitCodes } from "./exit-codes.ts";

const help = `Usage: ddfs [options] <command>

Tags and blobs of the Disco Distributed Filesystem.

DDFS comes with a later release of disco-mapreduce: no command works yet.
Until then jobs read local files, http(s):// addresses and the results of other jobs.

Options:
  -V, --version  print the version
  -h, --help     print this help
`;

export async function main(args: readonly string[]): Promise<void> {
  const [first] = args;
  if (first === "--version" || first === "-V") {
    console.log(packageVersion());
  } else if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    process.stdout.write(help);
  } else {
    console.error(`ddfs ${first}: DDFS comes with a later release of disco-mapreduce (this is ${packageVersion()}).`);
    process.exitCode = exitCodes.usage;
  }
}
