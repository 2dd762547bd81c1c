/** The commands of the package that is measured: that of the stand, or of this checkout with `--source`. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const discoCommand = join(
  dirname(fileURLToPath(import.meta.resolve("disco-mapreduce/package.json"))),
  "bin",
  "disco.js",
);
