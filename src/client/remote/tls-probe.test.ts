import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { loopbackCertificate, skipWithoutOpenssl } from "../../http/certificate.test-kit.ts";
import { type MasterAddress, masterAddress } from "../address.ts";
import { connectMaster } from "./connect.ts";
import { speaksTls } from "./tls-probe.ts";

type Listening = ReturnType<typeof createServer>;

async function at(server: Listening): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function masterOf(port: number): MasterAddress {
  const address = masterAddress(`disco://127.0.0.1:${port}`);
  assert.ok(address);
  return address;
}

describe("a server that hangs up when it is asked by http", () => {
  it("is told to speak TLS, at once and with the address to name it by", { skip: skipWithoutOpenssl() }, async (t) => {
    const server = createTlsServer(loopbackCertificate());
    t.after(() => server.close());
    // As TLS goes, it has no word for who speaks without.
    server.on("tlsClientError", (_, socket) => socket.destroy());
    const port = await at(server);
    const began = performance.now();
    await assert.rejects(connectMaster(masterOf(port)), {
      code: "tls",
      retry: "never",
      message: `the master at http://127.0.0.1:${port} speaks TLS, and was asked without`,
      hint: new RegExp(`Name it by https://127\\.0\\.0\\.1:${port};`),
    });
    assert.ok(performance.now() - began < 5_000);
  });

  it("is known to speak TLS where it wants a certificate of its clients", { skip: skipWithoutOpenssl() }, async (t) => {
    const server = createTlsServer({ ...loopbackCertificate(), requestCert: true, rejectUnauthorized: true });
    t.after(() => server.close());
    server.on("tlsClientError", (_, socket) => socket.destroy());
    assert.equal(await speaksTls(`http://127.0.0.1:${await at(server)}`), true);
  });

  it("is not taken for one of TLS where it speaks http, says nothing, or is gone", async (t) => {
    const http = createHttpServer((_, response) => response.destroy());
    const mute = createServer((socket) => socket.destroy());
    t.after(() => [http.close(), mute.close()]);
    const ports = [await at(http), await at(mute)];
    for (const port of ports) assert.equal(await speaksTls(`http://127.0.0.1:${port}`), false);
    http.close();
    await once(http, "close");
    assert.equal(await speaksTls(`http://127.0.0.1:${ports[0]}`), false);
  });
});
