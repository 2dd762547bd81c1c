/**
 * A worker that a job brings along, in a cluster whose nodes have names that resolve to nothing, and whose masters and nodes ask for a token
 * over HTTPS: none of it is the worker's affair.
 *
 *   maps run on both nodes ─▶ a reduce reads them all ─▶ it puts a value on both nodes ─▶ the leader is killed ─▶ it tags the value,
 *     which the next master is asked for ─▶ it reads it ─▶ a client reads it
 */
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { parseIndex } from "../../src/schemes/dir.ts";
import { Authority, whyNoCertificates } from "../cluster/certificates.test-kit.ts";
import { ProcessStand } from "../cluster/stand.test-kit.ts";
import { gatewayPack } from "./gateway-pack.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

const token = "token-of-a-cluster-of-nowhere";
const names = ["left-of-nowhere", "right-of-nowhere"];
const skip = noPython || skipWithoutNats() || whyNoCertificates() || false;
const inputs = ["a", "b", "c", "d", "e", "f", "g", "h"];

interface Said {
  readonly lines: readonly string[];
  readonly addresses: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stored: readonly number[];
  readonly tagged: number;
  readonly blobs: readonly string[];
  readonly "without token": number;
  readonly again: number;
  readonly control: number;
  readonly jobs: number;
}

test("workers reach outputs, blobs and tags of a cluster whose names mean nothing to them, also while its master is replaced", {
  skip,
  timeout: 200_000,
}, async () => {
  await using opened = new AsyncDisposableStack();
  for (const name of names) await assert.rejects(lookup(name));
  const folder = await mkdtemp(join(tmpdir(), "disco-gateway-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const authority = opened.use(new Authority());
  const { cert, key } = authority.sign("cluster");
  const usual = getCACertificates();
  setDefaultCACertificates([...usual, await readFile(authority.ca, "utf8")]);
  opened.defer(() => setDefaultCACertificates(usual));
  const config = join(folder, "disco.toml");
  const paths = { tls_cert: cert, tls_key: key, tls_ca: authority.ca };
  const lines = Object.entries(paths).map(([name, path]) => `${name} = ${JSON.stringify(path)}\n`);
  await writeFile(config, lines.join(""), { mode: 0o600 });
  const env = { DISCO_CONFIG: config, DISCO_TOKEN: token };
  const stand = opened.use(
    await ProcessStand.open({ servers: 1, nodes: names, env, scheme: "https", client: { token } }),
  );
  await using disco = stand.client();

  const job = await disco.submitPack(gatewayPack({ inputs, folder, replicas: 2, mapSeconds: 0.5 }));
  await stand.until("the value is stored", () => existsSync(join(folder, "stored")));
  await (await stand.leader()).kill();
  writeFileSync(join(folder, "go"), "");
  const [index = ""] = await job.wait();

  const fetched = async (url: string): Promise<string> => {
    const { pathname } = new URL(url);
    const [master = ""] = stand.masterUrls.filter((_, i) => stand.masters[i]?.runs);
    const answer = await fetch(master + pathname, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200, url);
    return await answer.text();
  };
  const [entry] = parseIndex(await fetched(index), index);
  const said = JSON.parse(await fetched(entry?.url ?? "")) as Said;

  // Both nodes have worked, and the reduce has read the outputs of both.
  const places = said.lines.map((line) => line.split(" "));
  assert.deepEqual(new Set(places.map(([input]) => input)), new Set(inputs));
  assert.deepEqual(new Set(places.map(([, node]) => node)), new Set(names));
  for (const url of said.addresses) assert.match(url, /^(?:http|dir):\/\/127\.0\.0\.1:\d+\/1-/, url);
  assert.deepEqual(Object.keys(said.environment).toSorted(), [
    "DDFS_DATA",
    "DDFS_PUT_PORT",
    "DISCO_DATA",
    "DISCO_MASTER",
    "DISCO_PORT",
    "DISCO_PROXY",
    "DISCO_WORKER_OF",
  ]);
  assert.ok(!JSON.stringify(said).includes(token));
  // A replica on each node; a tag with the token that it was made with; nothing of the cluster besides.
  assert.deepEqual(said.stored, [201, 201]);
  assert.deepEqual([said.tagged, said["without token"], said.again], [200, 401, 200]);
  const value = said.lines.toSorted().join("\n");
  assert.deepEqual(said.blobs, [value, value]);
  assert.deepEqual([said.control, said.jobs], [403, 404]);
  // Outside, the tag has addresses that mean something outside.
  assert.equal(Buffer.from(await job.oobGet("places")).toString(), value);
  const tag = await disco.ddfs.get(`disco:job:oob:${job.name}`, { token: "job" });
  assert.deepEqual(
    tag.urls.map((replicas) => replicas.map((url) => new URL(url).host).toSorted()),
    [names],
  );
});
