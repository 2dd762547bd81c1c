import assert from "node:assert/strict";
import { test } from "node:test";
import { dataTokenOf } from "../http/data-token.ts";
import { BoundJob, type JobBinding } from "../worker/bound-job.ts";
import { bindMessage, tasksMessage } from "./bind-message.ts";
import type { JobHome } from "./job-home.ts";

const home = { job: "count@1", packFile: "/p", jobDir: "n1/aa/count@1", workDir: "/w" } as JobHome;
const around = { dataDir: "/d", host: "n1", master: () => "disco://m" };

function tokens(peers?: {
  dataServers: () => Record<string, string>;
  token?: string;
}): (origin: string) => string | undefined {
  const message = bindMessage(home, "0", { ...around, ...(peers === undefined ? {} : { peers }) });
  const job = new BoundJob(message as JobBinding, {} as never);
  return (origin) => job.context.token?.(origin);
}

test("a worker shows the token for data to the nodes' data servers, and to no other server", () => {
  const token = tokens({
    dataServers: () => ({ n2: "https://n2.example:8989", n3: "http://10.0.0.3:9000/" }),
    token: "secret",
  });
  assert.equal(token("https://n2.example:8989"), dataTokenOf("secret"));
  assert.equal(token("http://10.0.0.3:9000"), dataTokenOf("secret"));
  for (const other of ["http://n2.example:8989", "https://n2.example", "http://10.0.0.3:9001", "http://evil.example"]) {
    assert.equal(token(other), undefined, other);
  }
});

test("what a worker is given holds the token for data, and the cluster's nowhere", () => {
  const token = "of-the-cluster-and-of-nobody-else";
  const message = bindMessage(home, "0", {
    ...around,
    peers: { dataServers: () => ({ n2: "http://n2:9000" }), token },
  });
  assert.equal((message as JobBinding).dataToken, dataTokenOf(token));
  assert.ok(!JSON.stringify(message).includes(token));
});

test("a worker of one machine is given no token and no servers", () => {
  const message = bindMessage(home, "0", around) as JobBinding;
  assert.deepEqual(message.dataServers, {});
  assert.equal(Object.hasOwn(message, "dataToken"), false);
  assert.equal(tokens()("http://n2.example"), undefined);
});

test("a node that joins later is known to workers with their next tasks, and is told only once", () => {
  let dataServers: Record<string, string> = { n2: "http://n2:1" };
  const peers = { dataServers: () => dataServers, token: "secret" };
  const job = new BoundJob(bindMessage(home, "0", { ...around, peers }) as JobBinding, {} as never);
  const told = dataServers;
  assert.deepEqual(tasksMessage([], told, { ...around, peers }), { kind: "tasks", tasks: [] });
  assert.deepEqual(tasksMessage([], undefined, around), { kind: "tasks", tasks: [] });

  dataServers = { n3: "http://n3:2" };
  const message = tasksMessage([], told, { ...around, peers });
  assert.ok(message.kind === "tasks" && message.dataServers !== undefined);
  assert.equal(Object.hasOwn(tasksMessage([], message.dataServers, { ...around, peers }), "dataServers"), false);
  job.know(message.dataServers);
  assert.deepEqual(job.context.dataServers, { n3: "http://n3:2" });
  assert.equal(job.context.token?.("http://n3:2"), dataTokenOf("secret"));
  assert.equal(job.context.token?.("http://n2:1"), undefined, "it is no node any more");
});
