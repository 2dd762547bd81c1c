import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { resolveClientSettings } from "../../settings/client.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";
import { chooseMaster, describeMaster, type MasterFlags, type Surroundings } from "./choose-master.ts";
import { daemonOf } from "./running-daemon.ts";

const record: DaemonRecord = { pid: 2, url: "http://127.0.0.1:1234", instance: "i", version: "0", startedAt: 0 };

interface Case {
  readonly flags?: MasterFlags;
  readonly env?: Readonly<Record<string, string>>;
  /** Roots on which a daemon runs. */
  readonly daemons?: readonly string[];
}

async function choose({ flags = {}, env = {}, daemons = [] }: Case) {
  const asked: string[] = [];
  const around: Surroundings = {
    settings: (given) =>
      resolveClientSettings({
        flags: { ...given },
        env: { DISCO_CONFIG: "none", DISCO_ROOT: "/usual", ...env },
        cwd: "/",
      }),
    daemonOf: async (root) => {
      asked.push(root);
      return daemons.includes(root) ? record : null;
    },
  };
  const master = await chooseMaster(flags, around);
  const { kind, root, client } = master;
  return { asked, kind, root, said: describeMaster(master), token: client.token() };
}

describe("choosing a master", () => {
  test("the flag is over everything, and nobody is asked", async () => {
    const flags = { master: "disco://flag" };
    const { asked, said } = await choose({ flags, env: { DISCO_MASTER: "disco://env" }, daemons: ["/usual"] });
    assert.equal(said, "disco://flag (--master)");
    assert.deepEqual(asked, []);
  });

  test("local is the engine in this process, whatever the environment says and whoever runs", async () => {
    const env = { DISCO_MASTER: "disco://env" };
    const { kind, root, asked } = await choose({ flags: { master: "local" }, env, daemons: ["/usual"] });
    assert.deepEqual({ kind, root }, { kind: "local", root: "/usual" });
    assert.deepEqual(asked, []);
    assert.equal((await choose({ env: { DISCO_MASTER: "local" }, daemons: ["/usual"] })).kind, "local");
  });

  test("a root that is named is over the environment: its daemon, else the engine in this process", async () => {
    const env = { DISCO_MASTER: "disco://env" };
    assert.equal((await choose({ flags: { root: "/other" }, env })).said, "this machine (/other)");
    const { said } = await choose({ flags: { root: "/other" }, env, daemons: ["/other"] });
    assert.equal(said, "http://127.0.0.1:1234 (the daemon of /other)");
  });

  test("the environment is over the daemon of the root", async () => {
    const { said, asked } = await choose({ env: { DISCO_MASTER: "disco://env:99" }, daemons: ["/usual"] });
    assert.equal(said, "disco://env:99 (DISCO_MASTER in the environment)");
    assert.deepEqual(asked, []);
  });

  test("a disco.toml is over the daemon of the root, and below the environment", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "disco-choose-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "disco.toml");
    await writeFile(file, 'root = "/usual"\nmaster = "disco://file"\n');
    const env = { DISCO_CONFIG: file };
    assert.equal((await choose({ env, daemons: ["/usual"] })).said, `disco://file (${file} line 2)`);
    assert.match((await choose({ env: { ...env, DISCO_MASTER: "disco://env" } })).said, /^disco:\/\/env /);
  });

  test("where nobody says anything it is the root's daemon, and where none runs the engine in this process", async () => {
    assert.equal((await choose({ daemons: ["/usual"] })).said, `${record.url} (the daemon of /usual)`);
    const { kind, said } = await choose({});
    assert.equal(kind, "local");
    assert.equal(said, "this machine (/usual)");
  });

  test("an address that is none is refused with where it stands", async () => {
    await assert.rejects(choose({ env: { DISCO_MASTER: "nowhere" } }), (error: Error) => {
      assert.match(error.message, /DISCO_MASTER in the environment is "nowhere"/);
      return true;
    });
  });

  test("the token that goes along is the one that is set", async () => {
    const env = { DISCO_MASTER: "disco://env", DISCO_TOKEN: "0123456789abcdef" };
    assert.equal((await choose({ env })).token, "0123456789abcdef");
  });
});

describe("the daemon of a root", () => {
  test("is one that answers with the instance of its file; a file that was left behind is nobody", async (t) => {
    const root = await mkdtemp(join(tmpdir(), "disco-choose-"));
    let instance = "mine";
    const server = createServer((_, response) => response.end(JSON.stringify({ instance })));
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    t.after(async () => {
      server.close();
      await rm(root, { recursive: true, force: true });
    });
    assert.equal(await daemonOf(root), null);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = join(root, "daemon.json");
    await writeFile(file, JSON.stringify({ ...record, url, instance: "mine" }));
    assert.equal((await daemonOf(root))?.url, url);
    instance = "another";
    assert.equal(await daemonOf(root), null);
    await writeFile(file, "{");
    assert.equal(await daemonOf(root), null);
  });
});
