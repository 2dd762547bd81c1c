import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { readNodeBlob } from "../../blobs/http/node-blob.ts";
import { Peers } from "../../node/fetch/peers.ts";
import { NodeConnection } from "./node-connection.ts";

/** Longer than a busy machine takes for the first byte. */
const idleMs = 400;
/** More than all buffers on the way have room for. */
const size = 64 * 1024 * 1024;

describe("connections to nodes", () => {
  let base = "";
  let given = size;
  const give = async (response: http.ServerResponse): Promise<void> => {
    let goOn = (): void => undefined;
    response.on("drain", () => goOn()).on("close", () => goOn());
    response.writeHead(200, { "content-length": String(size) });
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < given && !response.destroyed; sent += chunk.length) {
      if (!response.write(chunk)) await new Promise<void>((resolve) => void (goOn = resolve));
    }
    if (given === size) response.end();
  };
  const server = http.createServer((_request, response) => void give(response));

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ddfs/vol0/blob/00/blob$703-54adf-ca24d`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const connections = { clients: new NodeConnection(idleMs), nodes: new Peers({ urlOf: () => undefined, idleMs }) };
  after(() => {
    for (const connection of Object.values(connections)) connection.close();
  });

  for (const [whose, connection] of Object.entries(connections)) {
    const open = async (): Promise<NonNullable<Awaited<ReturnType<typeof readNodeBlob>>>> => {
      const ask: Parameters<typeof readNodeBlob>[0] = (url, request) => connection.ask(url, request as never);
      const opened = await readNodeBlob(ask, base);
      assert.ok(opened !== null);
      return opened;
    };

    it(`of ${whose} last while a reader takes his time`, async () => {
      given = size;
      const { body } = await open();
      await pause(2 * idleMs);
      assert.equal((await buffer(body)).length, size);
    });

    it(`of ${whose} are broken when a node gives nothing any more`, async () => {
      given = size / 2;
      const { body } = await open();
      await assert.rejects(buffer(body), { code: "cut-off" });
    });
  }
});
