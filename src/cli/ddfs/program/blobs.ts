/** Commands on what is in blobs, and where they lie. */
import type { Command } from "commander";
import { withExamples, withMaster } from "../../program/shared-options.ts";
import { severalTags, withReach } from "./tag-options.ts";

export function addBlobCommands(program: Command): void {
  const blobs = program
    .command("blobs")
    .summary("print the blobs that tags lead to")
    .description(
      "Prints the blobs of tags and of those to which they link, a line a blob: the addresses of its replicas, with tabs between them.",
    )
    .argument("<tags...>", severalTags);
  withExamples(withMaster(withReach(blobs)), "ddfs blobs data", "ddfs blobs -p data: | wc -l").action(
    async (tags: string[], options) => (await import("../blobs.ts")).printBlobs(tags, options),
  );
}
