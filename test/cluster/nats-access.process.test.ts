/**
 * Who is let in at NATS, and which of its servers are believed: TLS with an authority of one's own, certificates of clients, creds files,
 * passwords. Each refusal names the server and the remedy, and nothing that is secret is in any error, log, or list of processes.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { openNatsJournal } from "../../src/journal/nats.ts";
import { type NatsSettings, openNats } from "../../src/nats/connection.ts";
import { NatsServers, skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { Authority, type Certificate, whyNoCertificates } from "./certificates.test-kit.ts";
import { makeNatsUsers } from "./nats-users.test-kit.ts";
import { TestProcess } from "./process.test-kit.ts";

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
const skip = skipWithoutNats() || whyNoCertificates() || false;
const waitMs = 300;
const password = "password-of-these-tests";

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Why openNats does not connect: checked to hold the address and none of the secrets, also in causes and stack. */
async function refusal(settings: Partial<NatsSettings> & { url: string }, secrets: readonly string[] = []) {
  try {
    const engine = await openNats({ name: "x", allowOldEngine: true, waitMs, ...settings });
    await engine.close();
  } catch (error) {
    const all = inspect(error, { depth: 9, showHidden: true });
    for (const secret of secrets) assert.ok(!all.includes(secret), all);
    return error as Refusal;
  }
  throw new Error("it was let in");
}

async function accepts(settings: Partial<NatsSettings> & { url: string }): Promise<void> {
  const engine = await openNats({ name: "x", allowOldEngine: true, waitMs, ...settings });
  try {
    const journal = await openNatsJournal(engine);
    assert.equal((await journal.head()).seq, 0);
    await journal.close();
  } finally {
    await engine.close();
  }
}

const tlsUrl = ({ url }: NatsServers): string => url.replace("nats:", "tls:");

describe("TLS to NATS", { skip }, () => {
  let [ours, others]: Authority[] = [];
  const running: NatsServers[] = [];
  let good: Certificate;
  before(() => {
    [ours, others] = [new Authority("ours"), new Authority("others")];
    good = ours.sign("server");
  });
  after(async () => {
    await Promise.all(running.map((servers) => servers.dispose()));
    await ours?.[Symbol.asyncDispose]();
    await others?.[Symbol.asyncDispose]();
  });

  async function serve({ cert, key }: Certificate, more = ""): Promise<NatsServers> {
    const tls = `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${ours?.ca}", ${more} }`;
    const servers = await NatsServers.start({ configuration: tls });
    running.push(servers);
    return servers;
  }

  test("a server whose certificate our authority has signed is believed; without that authority it is not", async () => {
    const servers = await serve(good);
    const url = tlsUrl(servers);
    await accepts({ url, tls: { caFile: ours?.ca ?? "" } });
    for (const tls of [{ caFile: others?.ca ?? "" }, {}]) {
      const { code, message, hint } = await refusal({ url, tls });
      assert.equal(code, "engine-refused");
      assert.ok(message.includes(url), message);
      assert.match(`${message} ${hint}`, /certificate.*not to be trusted.*DISCO_ENGINE_CA/);
    }
  });

  test("a certificate that is over, or of another machine, is refused with what is wrong with it", async () => {
    const trusted = { tls: { caFile: ours?.ca ?? "" } };
    const old = tlsUrl(await serve((ours as Authority).sign("old", { days: -1 })));
    const expired = await refusal({ url: old, ...trusted });
    assert.match(`${expired.message} ${expired.hint}`, /expired.*new certificates/);
    assert.ok(expired.message.includes(old), expired.message);
    // It has "localhost" besides, which Node would compare with.
    const elsewhere = tlsUrl(await serve((ours as Authority).sign("elsewhere", { addresses: ["10.9.9.9"] })));
    const other = await refusal({ url: elsewhere, ...trusted });
    assert.equal(other.code, "engine-refused");
    assert.match(`${other.message} ${other.hint}`, /127\.0\.0\.1.*subjectAltName/s);
    await accepts({ url: elsewhere.replace("127.0.0.1", "localhost"), ...trusted });
  });

  test("servers that want certificates of clients get one; without it, or with a stranger's, the remedy is said", async () => {
    const url = tlsUrl(await serve(good, "verify: true"));
    const caFile = ours?.ca ?? "";
    const { cert, key } = (ours as Authority).sign("client");
    await accepts({ url, tls: { caFile, certFile: cert, keyFile: key } });
    const strange = (others as Authority).sign("client");
    for (const tls of [{ caFile }, { caFile, certFile: strange.cert, keyFile: strange.key }]) {
      const { code, message, hint } = await refusal({ url, tls });
      assert.equal(code, "engine-unreachable");
      assert.ok(message.includes(url), message);
      assert.match(hint, /verify.*DISCO_ENGINE_CERT.*DISCO_ENGINE_KEY/);
    }
    const mixed = await refusal({ url, tls: { caFile, certFile: cert, keyFile: strange.key } });
    assert.equal(mixed.code, "bad-certificate");
    assert.match(mixed.message, /mismatch/);
    const missing = await refusal({ url, tls: { caFile: "/nowhere/ca.pem" } });
    assert.equal(missing.code, "bad-certificate");
    assert.match(missing.message, /\/nowhere\/ca\.pem.*cannot be read/);
  });

  test("a server without TLS is no server where TLS is asked for", async () => {
    const servers = await NatsServers.start();
    running.push(servers);
    const { code, message, hint } = await refusal({ url: tlsUrl(servers) });
    assert.equal(code, "engine-unreachable");
    assert.match(message, /does not support 'tls'/);
    assert.match(hint, /tls block/);
  });

  test("master and node work over it, and show neither password nor key", { timeout: 120_000 }, async () => {
    const { cert, key } = good;
    const tls = `tls { cert_file: "${cert}", key_file: "${key}" }`;
    const servers = await NatsServers.start({
      configuration: `${tls}\nauthorization { users: [ { user: disco, password: "${password}" } ] }`,
    });
    running.push(servers);
    const folder = await mkdtemp(join(tmpdir(), "disco-access-"));
    const env = {
      DISCO_CONFIG: "none",
      DISCO_TOKEN: "token-of-these-tests-which-is-long",
      DISCO_MASTER: "",
      DISCO_ENGINE: tlsUrl(servers),
      DISCO_ENGINE_CA: ours?.ca ?? "",
      DISCO_ENGINE_USER: "disco",
      DISCO_ENGINE_PASSWORD: password,
      DISCO_ALLOW_OLD_ENGINE: "1",
    };
    const member = (role: string, ...args: string[]): TestProcess =>
      new TestProcess({
        name: role,
        command: process.execPath,
        args: [command, role, "--port", "0", "--log-level", "debug", ...args],
        env: { ...env, DISCO_ROOT: join(folder, role) },
      });
    await using master = member("master");
    await using node = member("node", "--node", "n1", "--slots", "1");
    try {
      await master.start(/"leading"/);
      await node.start(/"joined"/);
      const [, url = ""] = /"url":"([^"]*)"[^\n]*"serving"/.exec(master.output) ?? [];
      const client = { root: join(folder, "client"), env: { ...env, DISCO_MASTER: url } };
      const ran = await runDisco(["nodes"], client);
      assert.match(ran.stdout, /^n1 +ok /m, ran.stderr);
      const shown: string[] = [master.output, node.output, ran.stdout];
      for (const { pid } of [master, node]) shown.push(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
      // The password is wrong now, and the authority another one.
      for (const change of [{ DISCO_ENGINE_PASSWORD: `${password}-not` }, { DISCO_ENGINE_CA: others?.ca ?? "" }]) {
        for (const args of [["master"], ["node", "--node", "n2"]]) {
          const given = { root: join(folder, "other"), env: { ...env, ...change } };
          const { code, stdout, stderr } = await runDisco([...args, "--port", "0"], given);
          assert.notEqual(code, 0);
          assert.ok(`${stdout}${stderr}`.includes(tlsUrl(servers)), stderr);
          assert.match(
            `${stdout}${stderr}`,
            "DISCO_ENGINE_CA" in change ? /Set DISCO_ENGINE_CA/ : /DISCO_ENGINE_PASSWORD/,
          );
          shown.push(stdout, stderr);
        }
      }
      const pem = (await readFile(key, "utf8")).split("\n")[1] ?? "";
      for (const secret of [password, env.DISCO_TOKEN, pem]) {
        for (const text of shown) assert.ok(!text.includes(secret), text);
      }
    } finally {
      await Promise.all([master.kill(), node.kill()]);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

describe("users of NATS", { skip: skipWithoutNats() }, () => {
  test("a creds file lets its user in; another operator's, one cut short, and none are told apart", async () => {
    const users = makeNatsUsers();
    const stranger = makeNatsUsers();
    const folder = await mkdtemp(join(tmpdir(), "disco-creds-"));
    const servers = await NatsServers.start({ configuration: users.configuration });
    try {
      const credsFile = join(folder, "disco.creds");
      await writeFile(credsFile, users.creds, { mode: 0o600 });
      const { url } = servers;
      await accepts({ url, credsFile });
      const secrets = [users.seed, stranger.seed];
      await writeFile(credsFile, stranger.creds);
      const strange = await refusal({ url, credsFile }, secrets);
      assert.equal(strange.code, "engine-refused");
      assert.ok(strange.message.includes(url), strange.message);
      assert.match(strange.hint, /DISCO_ENGINE_CREDS/);
      await writeFile(credsFile, users.creds.slice(0, users.creds.indexOf("-----BEGIN USER NKEY")));
      assert.match((await refusal({ url, credsFile }, secrets)).message, /disco\.creds has no credentials/);
      await rm(credsFile);
      assert.match((await refusal({ url, credsFile }, secrets)).message, /disco\.creds.*cannot be read/);
    } finally {
      await servers.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("a password that is wrong is refused at once", async () => {
    const configuration = `authorization { users: [ { user: disco, password: "${password}" } ] }`;
    const servers = await NatsServers.start({ configuration });
    try {
      const { url } = servers;
      const began = performance.now();
      const { code, message, hint } = await refusal({ url, user: "disco", password: "wrong-secret", waitMs: 10_000 }, [
        "wrong-secret",
      ]);
      assert.ok(performance.now() - began < 5_000);
      assert.equal(code, "engine-refused");
      assert.ok(message.includes(url), message);
      assert.match(hint, /DISCO_ENGINE_PASSWORD/);
    } finally {
      await servers.dispose();
    }
  });
});
