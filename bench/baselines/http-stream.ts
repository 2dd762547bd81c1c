/**
 * P8's baseline: the bytes of a file from one process to another over `node:http`, as anybody would write it, without sums: PUT into a file of
 * the server, which is synced (what is stored is to be there after a power cut), or GET into a file here. Arguments: `put` or `get`, the file.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer, get, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const [way = "put", file = "", role] = process.argv.slice(2);
const chunkBytes = 1024 * 1024;

if (role === "server") serve();
else await client();

function serve(): void {
  const folder = mkdtempSync(join(tmpdir(), "disco-stream-"));
  const answerTo = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    if (asked.method === "PUT") {
      const stored = await open(join(folder, "stored"), "w");
      for await (const chunk of asked) await stored.write(chunk);
      await stored.sync();
      await stored.close();
      answer.writeHead(201).end();
    } else {
      answer.setHeader("content-length", statSync(file).size);
      await pipeline(createReadStream(file, { highWaterMark: chunkBytes }), answer);
    }
  };
  const server = createServer((asked, answer) => void answerTo(asked, answer));
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.once("disconnect", () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  });
}

async function client(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "disco-stream-"));
  const server = fork(import.meta.filename, [way, file, "server"]);
  const [port] = (await once(server, "message")) as [number];
  const options = { host: "127.0.0.1", port };
  const started = performance.now();
  if (way === "put") {
    const headers = { "content-length": statSync(file).size };
    const asked = request({ ...options, method: "PUT", headers });
    const answered = once(asked, "response") as Promise<[IncomingMessage]>;
    await pipeline(createReadStream(file, { highWaterMark: chunkBytes }), asked);
    const [answer] = await answered;
    answer.resume();
    await once(answer, "end");
  } else {
    const [answer] = (await once(get(options), "response")) as [IncomingMessage];
    await pipeline(answer, createWriteStream(join(folder, "got"), { highWaterMark: chunkBytes }));
    if (statSync(join(folder, "got")).size !== statSync(file).size) throw new Error("not all of it came");
  }
  const seconds = (performance.now() - started) / 1000;
  server.disconnect();
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
  console.log(JSON.stringify({ seconds }));
}
