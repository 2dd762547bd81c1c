import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Origin } from "./origin.ts";
import { type Resolved, resolveSettings, type SettingFlags } from "./resolve.ts";
import { flagOf, type SettingName, settingNames, settingOf, settingsTable } from "./table.ts";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "disco-settings-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Sources {
  readonly flags?: SettingFlags;
  readonly env?: Record<string, string>;
  readonly toml?: string;
}

/** Nothing of this machine's own counts. */
function resolve({ flags = {}, env = {}, toml }: Sources, side: "daemon" | "client" | "all" = "all"): Resolved {
  const config = join(folder, "disco.toml");
  writeFileSync(config, toml ?? "");
  return resolveSettings(side, { flags: { config, ...flags }, env, cwd: folder });
}

/** Two values that are not the default, for every setting; as they are typed, and as they are read. */
const samples: Readonly<Record<SettingName, readonly [string, string, string]>> = {
  host: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
  port: ["1001", "1002", "1003"],
  root: ["/one", "/two", "/three"],
  node: ["one", "two", "three"],
  workers: ["101", "102", "103"],
  labels: ["a=1", "a=2", "b=3"],
  scheduler: ["fifo", "fair", "fifo"],
  schedulerAlpha: ["0.1", "0.2", "0.3"],
  gcAfter: ["1d", "2d", "3d"],
  diskReserve: ["1MiB", "2MiB", "3MiB"],
  packMax: ["1MiB", "2MiB", "3MiB"],
  allowedHosts: ["a", "b", "c"],
  trustedNetworks: ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"],
  logLevel: ["debug", "warn", "error"],
  token: ["token-token-token-1", "token-token-token-2", "token-token-token-3"],
  submitToken: ["token-token-token-1", "token-token-token-2", "token-token-token-3"],
  readToken: ["token-token-token-1", "token-token-token-2", "token-token-token-3"],
  tokenFile: ["/a", "/b", "/c"],
  submitTokenFile: ["/a", "/b", "/c"],
  readTokenFile: ["/a", "/b", "/c"],
  master: ["disco://a", "disco://b", "disco://c"],
  proxy: ["http://a", "http://b", "http://c"],
  events: ["1", "json", "nocolor"],
  retrySeconds: ["1s", "2s", "3s"],
  jobOwner: ["a", "b", "c"],
  debug: ["1", "0", "1"],
  blobReplicas: ["2", "4", "5"],
  tagReplicas: ["2", "4", "5"],
  gcInterval: ["2h", "3h", "never"],
  gcGrace: ["2h", "3h", "4h"],
  lostAfter: ["2h", "3h", "4h"],
  ddfsStore: ["s3://one/a", "s3://two", "s3://three/b/c"],
  scrubInterval: ["2h", "3h", "never"],
  ddfsReadToken: ["a", "b", "c"],
  ddfsWriteToken: ["a", "b", "c"],
  engine: ["nats://a", "tls://b,c:1", "http://c:2"],
  cluster: ["one", "two", "three"],
  journal: ["postgres://a/b", "postgres://b/b", "postgres://c/b"],
  advertise: ["http://a:1", "http://b:1", "https://c:1"],
  volumes: ["/a", "/b,/c", "/c"],
  suspectAfter: ["2s", "4s", "5s"],
  deadAfter: ["20s", "30s", "40s"],
  tlsCert: ["/a", "/b", "/c"],
  tlsKey: ["/a", "/b", "/c"],
  tlsCa: ["/a", "/b", "/c"],
  engineCreds: ["/a", "/b", "/c"],
  engineCa: ["/a", "/b", "/c"],
  engineCert: ["/a", "/b", "/c"],
  engineKey: ["/a", "/b", "/c"],
  engineMonitor: ["http://a:1", "http://b:1,b:2", "https://c:1"],
  engineUser: ["a", "b", "c"],
  enginePassword: ["a", "b", "c"],
  allowOldEngine: ["1", "0", "1"],
};

describe("settings", () => {
  it("come from the flag, else the environment, else disco.toml, else the default, whatever else is set", () => {
    const places = fc.record({ flag: fc.boolean(), env: fc.boolean(), file: fc.boolean() });
    const everything = fc.record(
      Object.fromEntries(settingNames.map((name) => [name, places])) as Record<SettingName, typeof places>,
    );
    fc.assert(
      fc.property(everything, (chosen) => {
        const flags: Partial<Record<SettingName, string>> = {};
        const env: Record<string, string> = {};
        const lines: string[] = [];
        const expected = new Map<SettingName, { kind: Origin["kind"]; text: string | null }>();
        for (const name of settingNames) {
          const setting = settingOf(name);
          const [ofFlag, ofEnv, ofFile] = samples[name];
          const has = chosen[name];
          const isInFile = has.file && setting.key !== null;
          const isFlag = has.flag && flagOf(setting) !== null;
          if (isFlag) flags[name] = ofFlag;
          if (has.env) env[setting.env] = ofEnv;
          if (isInFile) lines.push(`${setting.key} = ${JSON.stringify(ofFile)}`);
          const [kind, text] = isFlag
            ? (["flag", ofFlag] as const)
            : has.env
              ? (["environment", ofEnv] as const)
              : isInFile
                ? (["file", ofFile] as const)
                : (["default", null] as const);
          expected.set(name, { kind, text });
        }
        const { values, origins } = resolve({ flags, env, toml: lines.join("\n") });
        for (const name of settingNames) {
          const { kind, text } = expected.get(name) as { kind: Origin["kind"]; text: string | null };
          assert.equal(origins[name].kind, kind, name);
          if (text === null) continue;
          assert.deepEqual(values[name], settingOf(name).type.read(text, folder)?.value, name);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("have one flag, one variable and one key each, and flags that commander gives by the setting's name", () => {
    for (const place of ["env", "key", "flag"] as const) {
      const all = settingNames.flatMap((name) => settingOf(name)[place] ?? []);
      assert.equal(new Set(all).size, all.length, place);
    }
    for (const name of settingNames) {
      const flag = flagOf(settingOf(name));
      const asProperty = flag?.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (flag !== null) assert.equal(asProperty, name);
      assert.match(settingOf(name).env, /^(?:DISCO|DDFS)_[A-Z_]+$/);
    }
    assert.equal(flagOf(settingsTable.token), null, "every user sees flags in a list of processes");
    assert.equal(settingsTable.token.key, null);
  });

  it("are refused with the value, where it stands and what is allowed, all wrong ones at once", () => {
    assert.throws(
      () => resolve({ flags: { scheduler: "lifo" }, env: { DISCO_PORT: "99999" }, toml: '\ndisk_reserve = "64M"' }),
      {
        code: "bad-setting",
        message: [
          'DISCO_PORT in the environment is "99999", expected a whole number from 0 to 65535 (0 takes a free one)',
          '--scheduler is "lifo", expected one of fair, fifo',
          `${join(folder, "disco.toml")} line 2: disk_reserve is "64M", expected a number of bytes from 0 on, such as 64MiB, 1GiB, 500MB or 1048576`,
        ].join("\n"),
      },
    );
  });

  it("of TOML's own kinds are read as they are, and refused where they make no sense", () => {
    const { values } = resolve({
      toml: 'port = 80\nallowed_hosts = ["a", "b"]\nroot = "here"\n[scheduler]\nalpha = 1\n[labels]\nrack = 3',
    });
    assert.equal(values.port, 80);
    assert.equal(values.schedulerAlpha, 1);
    assert.deepEqual(values.allowedHosts, ["a", "b"]);
    assert.deepEqual(values.labels, { rack: "3" });
    assert.equal(values.root, join(folder, "here"), "paths in the file are seen from the file");
    for (const toml of ["port = true", "port = [80]", "port = 1979-05-27", "root = 5", "labels = 1979-05-27"]) {
      assert.throws(() => resolve({ toml }), { code: "bad-setting" }, toml);
    }
  });

  it("that are empty in the environment are unset", () => {
    const { values, origins } = resolve({ env: { DISCO_PORT: "", DISCO_MASTER: "" } });
    assert.equal(values.port, 8989);
    assert.equal(origins.port.kind, "default");
    assert.equal(values.master, null);
  });

  it("of the daemon do not stop a client, nor those of a client the daemon", () => {
    const env = { DISCO_PORT: "none", DISCO_MASTER: "nowhere" };
    assert.throws(() => resolve({ env: { DISCO_PORT: "none" } }, "daemon"), { code: "bad-setting" });
    assert.throws(() => resolve({ env: { DISCO_MASTER: "nowhere" } }, "client"), { code: "bad-setting" });
    assert.equal(resolve({ env: { ...env, DISCO_MASTER: "" } }, "client").values.port, 8989);
    assert.equal(resolve({ env: { ...env, DISCO_PORT: "" } }, "daemon").values.master, null);
  });

  it("are never quoted where they are secret", () => {
    assert.throws(
      () => resolve({ env: { DISCO_TOKEN: "too-short" } }),
      (error: Error) =>
        /^DISCO_TOKEN in the environment has a value that is not allowed/.test(error.message) &&
        !error.message.includes("too-short"),
    );
  });

  it("follow XDG for the root when nobody says", () => {
    assert.equal(resolve({ env: { XDG_DATA_HOME: "/xdg" } }).values.root, "/xdg/disco");
    assert.match(resolve({}).values.root, /\/\.local\/share\/disco$/);
  });
});
