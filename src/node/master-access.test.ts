import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { whyNoAccess } from "./master-access.ts";

const token = "the-token-of-the-cluster";

test("a node learns whether its master takes its token, and whether it can be reached at all", async (t) => {
  const master = createServer((request, response) => {
    response.writeHead(request.headers.authorization === `Bearer ${token}` ? 200 : 401).end("{}");
  }).listen(0, "127.0.0.1");
  await once(master, "listening");
  t.after(() => master.close());
  const url = `http://127.0.0.1:${(master.address() as AddressInfo).port}`;
  const { signal } = new AbortController();

  assert.equal(await whyNoAccess(url, { token, signal }), null);
  const refused = await whyNoAccess(url, { token: "another-token-of-another", signal });
  assert.equal(refused?.code, "not-allowed");
  assert.match(refused.message, /does not take the token/);
  assert.ok(!`${refused.message} ${refused.hint}`.includes("another-token"));
  assert.equal((await whyNoAccess(url, { signal }))?.code, "not-allowed");

  master.close();
  master.closeAllConnections();
  const away = await whyNoAccess(url, { token, signal });
  assert.equal(away?.code, "peer-unreachable");
  assert.ok(away.message.includes(url));
  assert.match(away.hint ?? "", /--advertise/);
  assert.equal(await whyNoAccess(url, { token, signal: AbortSignal.abort() }), null);
});
