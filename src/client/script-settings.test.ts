import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

const token = "a-token-in-a-file-of-its-own";
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-script-"));
  await writeFile(join(folder, "token"), token, { mode: 0o600 });
});
after(() => rm(folder, { recursive: true, force: true }));

const script = `
  import { registerHooks } from "node:module";
  const urls = [];
  registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
  const { Disco } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
  const outcome = { settings: 0, error: null, env: {} };
  try { await using disco = new Disco(); } catch (error) { outcome.error = [error.code, error.message]; }
  outcome.settings = urls.filter((url) => url.includes("/settings/")).length;
  for (const [name, value] of Object.entries(process.env)) if (name.startsWith("DISCO_")) outcome.env[name] = value;
  console.log(JSON.stringify(outcome));
`;

interface Outcome {
  /** Modules of settings that were loaded. */
  readonly settings: number;
  readonly error: readonly [code: string, message: string] | null;
  readonly env: Readonly<Record<string, string>>;
}

/** A master that takes no token, and what it was sent. */
const askingScript = `
  import { createServer } from "node:http";
  const { Disco } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
  let sent = null;
  const server = createServer((request, response) => {
    sent = request.headers.authorization ?? null;
    response.writeHead(401, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: "unauthorized", message: "no" } }));
  }).listen(0, "127.0.0.1", async () => {
    await using disco = new Disco("disco://127.0.0.1:" + server.address().port);
    const { code, hint } = await disco.joblist().catch((error) => error);
    console.log(JSON.stringify({ sent, code, hint }));
    server.close();
  });
`;

async function run(toml: string | null, env: Record<string, string> = {}): Promise<Outcome> {
  return (await runScript(script, toml, env)) as Outcome;
}

async function runScript(code: string, toml: string | null, env: Record<string, string>): Promise<unknown> {
  if (toml === null) await rm(join(folder, "disco.toml"), { force: true });
  else await writeFile(join(folder, "disco.toml"), toml);
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: folder,
    env: { PATH, HOME: folder, NODE_OPTIONS: "--conditions=disco-source --throw-deprecation", ...env },
  });
  return JSON.parse(stdout) as unknown;
}

describe("a script", () => {
  it("that has no disco.toml loads next to nothing of settings", async () => {
    const { settings, error, env } = await run(null);
    assert.deepEqual({ settings, error, env }, { settings: 1, error: null, env: {} });
  });

  it("uses the master, the token file and all else that the nearest disco.toml names", async () => {
    const toml =
      'master = "disco://far:1"\ntoken_file = "token"\nproxy = "http://p:2"\nretry_seconds = "2m"\njob_owner = "ann"\n';
    const { error, env } = await run(toml);
    assert.equal(error, null);
    assert.equal(env["DISCO_MASTER"], "disco://far:1");
    assert.equal(env["DISCO_TOKEN"], token);
    assert.equal(env["DISCO_PROXY"], "http://p:2");
    assert.equal(env["DISCO_RETRY_SECONDS"], "120");
    assert.equal(env["DISCO_JOB_OWNER"], "ann");
  });

  it("prefers the environment, and may say that jobs run here", async () => {
    const toml = 'master = "disco://far:1"\ntoken_file = "token"\nroot = "elsewhere"';
    const { env } = await run(toml, { DISCO_MASTER: "local" });
    assert.equal(env["DISCO_MASTER"], "local");
    assert.equal(env["DISCO_TOKEN"], undefined, "a token is for the master that it is set for");
    assert.equal(env["DISCO_ROOT"], join(folder, "elsewhere"));
    assert.equal((await run(toml, { DISCO_CONFIG: "none" })).env["DISCO_MASTER"], undefined);
  });

  it("is told what is wrong with the file, and where", async () => {
    const { error } = await run('\nmaster = "far"');
    assert.equal(error?.[0], "bad-setting");
    assert.match(error[1], /disco\.toml line 2: master is "far", expected disco:\/\/host/);
    assert.equal((await run("mister = 1")).error?.[0], "bad-config-file");
  });

  it("sends the token of the environment, or of the file that it names, to the master that it names itself", async () => {
    const sentWith = async (env: Record<string, string>, toml: string | null = null) =>
      (await runScript(askingScript, toml, env)) as { sent: string | null; code: string; hint: string };
    const file = { DISCO_TOKEN_FILE: join(folder, "token") };
    assert.equal((await sentWith(file)).sent, `Bearer ${token}`);
    assert.equal((await sentWith({ ...file, DISCO_MASTER: "disco://far:1" })).sent, `Bearer ${token}`);
    assert.equal(
      (await sentWith({ DISCO_TOKEN: "another-token-of-this-user" })).sent,
      "Bearer another-token-of-this-user",
    );
    const without = await sentWith({}, 'token_file = "token"');
    assert.deepEqual([without.sent, without.code], [null, "unauthorized"], "a token of the file is for its master");
    const elsewhere = await sentWith({}, 'master = "disco://far:1"\ntoken_file = "token"');
    assert.equal(elsewhere.sent, null, "also when the file names another master beside it");
    assert.match(without.hint, /DISCO_TOKEN, in a file that DISCO_TOKEN_FILE names/);
  });
});
