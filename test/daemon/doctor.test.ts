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
});
