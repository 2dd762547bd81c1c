/**
 * Masters and nodes that speak HTTPS with an authority of their own, by a disco.toml: any master's address serves, also while the one that
 * leads is killed; a master that does not trust the leader says so.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Disco, resultIterator } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { Authority, whyNoCertificates } from "./certificates.test-kit.ts";
import type { TestProcess } from "./process.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { startWordCount, writeTexts } from "./stand-jobs.test-kit.ts";

const skip = skipWithoutNats() || whyNoCertificates() || false;
const token = "token-of-a-cluster-over-tls";

describe("a cluster over HTTPS", { skip, timeout: 200_000 }, () => {
  const opened = new AsyncDisposableStack();
  let texts: string[] = [];
  let expected = "";
  let stand: ProcessStand;
  let others: Authority;
  let ca = "";

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "disco-https-"));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    const authority = opened.use(new Authority());
    others = opened.use(new Authority("others"));
    const { cert, key } = authority.sign("cluster");
    ca = authority.ca;
    const usual = getCACertificates();
    setDefaultCACertificates([...usual, await readFile(authority.ca, "utf8")]);
    opened.defer(() => setDefaultCACertificates(usual));
    texts = await writeTexts(join(folder, "texts"), 12, 4_000);
    await using alone = new Disco("local", { root: join(folder, "alone") });
    for await (const [word, n] of resultIterator(await (await startWordCount(alone, texts)).wait())) {
      expected += `${word}\t${n}\n`;
    }
    const config = join(folder, "disco.toml");
    const tls = `tls_cert = ${JSON.stringify(cert)}\ntls_key = ${JSON.stringify(key)}\ntls_ca = ${JSON.stringify(authority.ca)}\n`;
    await writeFile(config, tls, { mode: 0o600 });
    const env = { DISCO_CONFIG: config, DISCO_TOKEN: token };
    stand = opened.use(
      await ProcessStand.open({ servers: 1, nodes: ["n1", "n2"], env, scheme: "https", client: { token } }),
    );
  });
  after(() => opened.disposeAsync());

  function urlOf(master: TestProcess): string {
    const [, url = ""] = /"url":"([^"]*)"[^\n]*"serving"/.exec(master.output) ?? [];
    assert.match(url, /^https:/);
    return url;
  }

  /** What `disco cat` prints: it is told of the authority as its users are, by NODE_EXTRA_CA_CERTS. */
  async function results(job: string, ...masters: readonly string[]): Promise<string> {
    const env = { DISCO_CONFIG: "none", DISCO_MASTER: masters.join(","), DISCO_TOKEN: token, NODE_EXTRA_CA_CERTS: ca };
    const { code, stdout, stderr } = await runDisco(["cat", job], { root: join(stand.folder, "client"), env });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  function ask(master: TestProcess, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(urlOf(master) + path, { ...init, headers: { authorization: `Bearer ${token}` } });
  }

  it("has a master that follows answer questions with their age, and take everything else to the leader", async () => {
    const follower = await stand.follower();
    const listed = await ask(follower, "/api/v1/jobs");
    assert.equal(listed.status, 200);
    assert.match(listed.headers.get("disco-age-ms") ?? "", /^\d+$/);
    assert.equal((await ask(await stand.leader(), "/api/v1/jobs")).headers.get("disco-age-ms"), null);
    await using disco = new Disco(urlOf(follower), { token });
    const job = await startWordCount(disco, texts);
    await job.wait();
    assert.equal(await results(job.name, urlOf(follower)), expected);
    await job.purge();
  });

  it("loses no request, long poll or stream of its clients when the leader is killed", async () => {
    await using disco = stand.client();
    const job = await startWordCount(disco, texts);
    const told: number[] = [];
    let last = "";
    const stream = (async () => {
      for await (const [offset, { message }] of job.events(0, { follow: true })) {
        told.push(offset);
        last = message;
      }
    })();
    const waiting = job.wait();
    await stand.until("something is counted", async () => ((await job.jobinfo()).stages[0]?.done ?? 0) > 0);
    await (await stand.leader()).kill();
    // While nobody leads.
    const second = startWordCount(disco, texts.slice(0, 2));
    await waiting;
    assert.equal(await results(job.name, ...stand.masterUrls), expected);
    await stream;
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(told).size, told.length, "no event comes twice");
    assert.match(last, /READY|ready|done/i);
    await (await second).wait();
    await stand.restore();
  });

  it("says so where a master does not trust the one that leads", async () => {
    const doubting = stand.moreMaster("m3", { DISCO_TLS_CA: others.ca });
    await doubting.start(/"serving"/);
    let said = "";
    await stand.until("it knows who leads", async () => {
      const answer = await ask(doubting, "/api/v1/jobs/nothing/events");
      said = await answer.text();
      assert.equal(answer.status, 503, said);
      return !said.includes("no master is known");
    });
    assert.ok(said.includes(urlOf(await stand.leader())), said);
    assert.match(said, /does not trust the certificate.*DISCO_TLS_CA/);
    await doubting.kill();
  });
});
