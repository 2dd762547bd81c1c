/**
 * A map that awaits: it asks a web server about each entry, with several requests in flight in each task (`concurrency`).
 * The results come in the order of the input all the same. Without inputs the example starts a small server of its own.
 *
 *     npx disco run examples/async-fetch.ts
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Results, RunContext } from "disco-mapreduce";

const words = ["tyger", "burning", "bright", "forests", "night", "immortal", "hand", "eye", "frame", "symmetry"];

export default async function asyncFetch({ disco }: RunContext): Promise<Results<string, number>> {
  const server = createServer(({ url }, response) => {
    const word = decodeURIComponent(url?.slice(1) ?? "");
    // Later words are answered earlier.
    setTimeout(() => response.end(JSON.stringify({ word, letters: word.length })), 200 / word.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const job = await disco.newJob("async_fetch", {
    input: [`raw://${words.join("\n")}`],
    params: { server: `http://127.0.0.1:${port}` },
    map: async (word, { server }) => {
      const answer = await fetch(`${server}/${encodeURIComponent(word)}`);
      const { letters } = (await answer.json()) as { letters: number };
      return [[word, letters] as const];
    },
    concurrency: 8,
  });
  try {
    return await job.wait();
  } finally {
    server.close();
  }
}
