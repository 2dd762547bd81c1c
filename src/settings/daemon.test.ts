import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { resolveClientSettings } from "./client.ts";
import { type ResolvedDaemon, resolveDaemonSettings } from "./daemon.ts";
import type { SettingFlags } from "./resolve.ts";
import { newToken } from "./token.ts";

const [admin, submit, read] = [newToken(), newToken(), newToken()];
let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "disco-daemon-settings-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function resolve(env: Record<string, string> = {}, flags: SettingFlags = {}): ResolvedDaemon {
  return resolveDaemonSettings({ flags: { config: "none", ...flags }, env, cwd: folder });
}

function tokenFile(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("the settings of a daemon", () => {
  it("are complete without anything said: loopback, port 8989, fair, no tokens, nothing is purged", () => {
    const { settings, warnings } = resolve({ XDG_DATA_HOME: "/data" });
    const { workers, ...rest } = settings;
    assert.ok(workers >= 1);
    assert.deepEqual(rest, {
      root: "/data/disco",
      host: "127.0.0.1",
      port: 8989,
      node: "localhost",
      labels: {},
      scheduler: { policy: "fair", alpha: 0.001 },
      gcAfterSeconds: null,
      tokens: {},
      allowedHosts: [],
      trustedNetworks: [],
      packBytesMax: 2 ** 30,
      diskReserveBytes: 2 ** 26,
      ddfs: {
        blobReplicas: null,
        tagReplicas: 3,
        store: null,
        times: { graceMs: 432e6, intervalMs: 86_400e3, lostAfterMs: 300e3, scrubIntervalMs: 2_592e6 },
      },
      logLevel: "info",
    });
    assert.deepEqual(warnings, []);
  });

  it("need a token for every address that other machines reach", () => {
    for (const host of ["0.0.0.0", "::", "10.1.2.3", "disco.example.org"]) {
      assert.throws(() => resolve({ DISCO_HOST: host }), {
        code: "token-needed",
        message: /^host .* \(DISCO_HOST in the environment\) lets other machines in/,
        hint: /disco token new/,
      });
      assert.equal(resolve({ DISCO_HOST: host, DISCO_TOKEN: admin, DISCO_NODE: "n" }).settings.host, host);
    }
    for (const host of ["127.0.0.1", "::1", "localhost"])
      assert.deepEqual(resolve({ DISCO_HOST: host }).settings.tokens, {});
  });

  it("name the node after the machine when others reach it", () => {
    const env = { DISCO_HOST: "0.0.0.0", DISCO_TOKEN: admin };
    assert.equal(resolve(env).settings.node, hostname());
    assert.equal(resolve({ ...env, DISCO_NODE: "n1" }).settings.node, "n1");
  });

  it("have a token for each scope, which may be in a file", () => {
    const file = tokenFile("submit", `${submit}\n`);
    const { settings, warnings } = resolve({ DISCO_TOKEN: admin, DISCO_READ_TOKEN: read }, { submitTokenFile: file });
    assert.deepEqual(settings.tokens, { admin, submit, read });
    assert.deepEqual(warnings, []);
  });

  it("prefer the nearer of a token and a file, and refuse both in one place", () => {
    const file = tokenFile("admin", admin);
    assert.equal(resolve({ DISCO_TOKEN: submit }, { tokenFile: file }).settings.tokens.admin, admin);
    assert.throws(() => resolve({ DISCO_TOKEN: submit, DISCO_TOKEN_FILE: file }), {
      code: "bad-setting",
      message: /DISCO_TOKEN in the environment and DISCO_TOKEN_FILE in the environment are both set/,
    });
    const config = join(folder, "with-token.toml");
    writeFileSync(config, `token_file = "admin"`);
    assert.equal(resolve({}, { config }).settings.tokens.admin, admin);
    assert.equal(resolve({ DISCO_TOKEN: submit }, { config }).settings.tokens.admin, submit);
  });

  it("refuse a token file that others can read, that is not there, or that has no token in it", () => {
    const cases = [
      [tokenFile("open", admin, 0o604), /can be read by everybody/],
      [tokenFile("group", admin, 0o640), /can be read by its group/],
      [tokenFile("empty", "\n"), /expected a token of 16 to 512 visible ASCII characters/],
      [join(folder, "absent"), /cannot be read: ENOENT/],
    ] as const;
    for (const [file, message] of cases) {
      assert.throws(
        () => resolve({}, { tokenFile: file }),
        (error: { code: string; message: string }) =>
          error.code === "bad-setting" && message.test(error.message) && !error.message.includes(admin),
      );
    }
  });

  it("take a credential of systemd, which shows as readable by its group", () => {
    const file = tokenFile("credential", admin, 0o440);
    assert.throws(() => resolve({}, { tokenFile: file }), { code: "bad-setting" });
    process.env["CREDENTIALS_DIRECTORY"] = folder;
    try {
      assert.equal(resolve({}, { tokenFile: file }).settings.tokens.admin, admin);
      assert.throws(() => resolve({}, { tokenFile: tokenFile("open", admin, 0o444) }), { code: "bad-setting" });
    } finally {
      delete process.env["CREDENTIALS_DIRECTORY"];
    }
  });

  it("refuse one token for two scopes", () => {
    assert.throws(() => resolve({ DISCO_TOKEN: admin, DISCO_READ_TOKEN: admin }), {
      code: "bad-setting",
      message: /scope read \(DISCO_READ_TOKEN in the environment\) is that for scope admin$/,
    });
  });

  it("warn when nobody could do what a daemon is for", () => {
    assert.match(resolve({ DISCO_READ_TOKEN: read }).warnings.join(), /nobody can start or end jobs/);
    assert.match(resolve({ DISCO_SUBMIT_TOKEN: submit }).warnings.join(), /nobody can change settings/);
  });
});

describe("the settings of a client", () => {
  it("say which master, who named it, and which token allows most", () => {
    const env = { DISCO_MASTER: "disco://h:1", DISCO_READ_TOKEN: read, DISCO_SUBMIT_TOKEN: submit };
    const client = resolveClientSettings({ flags: { config: "none" }, env, cwd: folder });
    assert.equal(client.settings.master, "disco://h:1");
    assert.equal(client.masterFrom, "DISCO_MASTER in the environment");
    assert.equal(client.token(), submit);
    const nothing = resolveClientSettings({ flags: { config: "none" }, env: {}, cwd: folder });
    assert.equal(nothing.settings.master, null);
    assert.equal(nothing.masterFrom, null);
    assert.equal(nothing.token(), null);
  });

  it("read a token file only when a token is asked for", () => {
    const env = { DISCO_TOKEN_FILE: join(folder, "absent") };
    const client = resolveClientSettings({ flags: { config: "none" }, env, cwd: folder });
    assert.throws(() => client.token(), { code: "bad-setting" });
  });
});
