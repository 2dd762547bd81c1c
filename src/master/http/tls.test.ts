import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openServer } from "./server.test-kit.ts";

test("a master with a certificate is reached over TLS by those who trust it, and by no others", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "disco-tls-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [keyFile, certFile] = [join(root, "key.pem"), join(root, "cert.pem")];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync("openssl", [...args, ...subject, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
  } catch {
    t.skip("openssl is not there to make a certificate");
    return;
  }
  const [key, cert] = [await readFile(keyFile, "utf8"), await readFile(certFile, "utf8")];
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
