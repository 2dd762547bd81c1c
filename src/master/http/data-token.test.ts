/** What the token that workers hold opens at a master. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataTokenOf } from "../../http/data-token.ts";
import { openServer } from "./server.test-kit.ts";

test("the token for data submits nothing, looks at nothing, and is no node's", async () => {
  const admin = "of-the-cluster-4711";
  await using server = await openServer({
    settings: { tokens: { admin } },
    data: (_request, response) => Promise.resolve(void response.end("of a job")),
  });
  const headers = { authorization: `Bearer ${dataTokenOf(admin)}` };
  for (const [method, path] of [
    ["POST", "/disco/job/new"],
    ["POST", "/api/v1/jobs"],
    ["POST", "/api/v1/results"],
    ["POST", "/disco/n1/ab/job@1/.disco/outputs"],
    ["GET", "/disco/ctrl/joblist"],
    ["GET", "/api/v1/jobs"],
    ["GET", "/metrics"],
    ["GET", "/bus/n1"],
    ["GET", "/proxy/n1/POST/disco/job/new"],
  ] as const) {
    assert.equal((await server.ask(path, { method, headers })).status, 403, `${method} ${path}`);
  }
  for (const path of ["/disco/n1/ab/job@1/x", "/proxy/n1/GET/disco/n1/ab/job@1/x"]) {
    const { status, text } = await server.ask(path, { headers });
    assert.deepEqual([status, text], [200, "of a job"], path);
  }
  const others = { authorization: `Bearer ${dataTokenOf("of-another-cluster")}` };
  assert.equal((await server.ask("/disco/n1/ab/job@1/x", { headers: others })).status, 401);
});
