/** `disco doctor` beside a daemon. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { daemonCommands } from "./daemon-commands.ts";

const commands = daemonCommands();
const { disco, report } = commands;

describe("disco doctor", () => {
  it("finds nothing wrong with a daemon that runs, and says so in JSON as well", async () => {
    await report(["start"]);
    const { code, stdout } = await disco(["doctor", "--json"]);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { check: string; state: string; message: string }[];
    };
    const wrong = findings.filter(({ state }) => state === "fail");
    assert.deepEqual(wrong, []);
    assert.equal(code, 0);
    assert.equal(ok, true);
    for (const check of ["node", "settings", "root", "disk", "temporary", "clock", "daemon", "daemon-clock"]) {
      assert.ok(
        findings.some((finding) => finding.check === check),
        check,
      );
    }
  });

  it("goes through bad settings and misspelt variables with what to do", async () => {
    await writeFile(join(commands.root, "bad.toml"), "port = 8989\nworkerz = 1\n");
    const bad = await disco(["doctor", "--config", join(commands.root, "bad.toml")], {
      DISCO_PROT: "1",
      DISCO_CONFIG: "",
    });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /bad\.toml line 2: there is no setting workerz\n.*Did you mean workers\?/);
    assert.match(bad.stdout, /DISCO_PROT is no setting\n.*Did you mean DISCO_PORT\?/);
    assert.match(bad.stdout, /1 problem, 1 warning\.$/m);
  });

  it("beside a master that is set takes the port that this has for no problem, and status tells how it is", async () => {
    const { url } = await report(["start"]);
    const port = new URL(url).port;
    const another = await commands.newFolder();
    const env = { DISCO_ROOT: another, DISCO_PORT: port };
    const alone = await disco(["doctor", "--root", another], env);
    assert.equal(alone.code, 1);
    assert.match(alone.stdout, /is taken by a Disco daemon or master of another root/);
    assert.equal((await disco(["status", "--root", another], env)).code, 3);

    const set = { ...env, DISCO_MASTER: `disco://localhost:${port}` };
    const beside = await disco(["doctor", "--root", another], set);
    assert.equal(beside.code, 0, beside.stdout);
    assert.match(beside.stdout, /is that of a Disco daemon or master of another root/);
    const status = await disco(["status", "--root", another], set);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /^No daemon runs on /);
    assert.match(status.stdout, /^The master disco:\/\/localhost:\d+ \(DISCO_MASTER in the environment\) runs\.$/m);
    assert.match(status.stdout, /^ {2}node localhost +0 of 1 slots busy/m);
    const gone = await disco(["status", "--root", another], { ...env, DISCO_MASTER: "disco://localhost:9" });
    assert.equal(gone.code, 3);
    assert.match(gone.stdout, /disco:\/\/localhost:9 .* does not say how it is: .* does not answer\.$/m);
    const { masters } = JSON.parse((await disco(["status", "--root", another, "--json"], set)).stdout) as {
      masters: readonly { address: string; problem: string | null; jobs: { active: number } }[];
    };
    assert.deepEqual(
      masters.map(({ address, problem, jobs }) => [address, problem, jobs.active]),
      [[set.DISCO_MASTER, null, 0]],
    );
  });
});
