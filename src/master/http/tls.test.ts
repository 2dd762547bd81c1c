import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { test } from "node:test";
import { loopbackCertificate, skipWithoutOpenssl } from "../../http/certificate.test-kit.ts";
import { openServer } from "./server.test-kit.ts";

test("a master with a certificate is reached over TLS by those who trust it, and by no others", {
  skip: skipWithoutOpenssl(),
}, async () => {
  const { key, cert } = loopbackCertificate();
  await assert.rejects(openServer({ tls: { cert, key: "no key" } }), { code: "bad-certificate" });
  await using server = await openServer({ tls: { cert, key } });
  const { url } = server.server;
  assert.match(url, /^https:\/\/127\.0\.0\.1:/);
  const status = async (ca?: string): Promise<number | undefined> => {
    const [response] = (await once(get(`${url}/healthz`, { ca, agent: false }), "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  assert.equal(await status(cert), 200);
  await assert.rejects(status(), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  await assert.rejects(fetch(`${url.replace("https:", "http:")}/healthz`));
});
