import { lineFeedContract } from "./contract.ts";
import { MemoryLineFeed, MemoryLines } from "./memory.ts";

lineFeedContract("memory", async (linesMax) => {
  const lines = new MemoryLines(linesMax);
  return { feeds: [new MemoryLineFeed(lines), new MemoryLineFeed(lines)], dispose: async () => undefined };
});
