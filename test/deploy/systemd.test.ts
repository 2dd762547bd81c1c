/** The units of deploy/systemd: systemd takes them, and what they set are settings. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { settingNames, settingOf } from "../../src/settings/table.ts";

const folder = join(import.meta.dirname, "..", "..", "deploy", "systemd");
const units = ["disco-master.service", "disco-node.service"];
const settings = new Set(settingNames.map((name) => settingOf(name).env));
const noSystemd = spawnSync("systemd-analyze", ["--version"]).error === undefined ? false : "no systemd-analyze here";

test("systemd finds nothing to say about the units", { skip: noSystemd }, () => {
  for (const unit of units) {
    const output = execFileSync("systemd-analyze", ["verify", "--man=no", join(folder, unit)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    assert.equal(output, "", unit);
  }
});

test("variables of the units and of their file are settings, and none holds a token", () => {
  for (const file of [...units, "disco.env"]) {
    const text = readFileSync(join(folder, file), "utf8");
    const assigned = [...text.matchAll(/^(?:Environment=)?(DISCO_\w+)=(.*)$/gm)];
    assert.ok(assigned.length > 0, file);
    for (const [, name = "", value = ""] of assigned) {
      assert.ok(settings.has(name), `${file}: ${name} is no setting`);
      const setting = settingNames.map(settingOf).find(({ env }) => env === name);
      if (setting?.secret === true) assert.equal(value, "", `${file}: ${name}`);
      else assert.notEqual(setting?.type.read(value, folder), null, `${file}: ${name}=${value}`);
    }
  }
});

test("units run commands that exist, in directories of theirs, with room for files and workers", () => {
  for (const unit of units) {
    const text = readFileSync(join(folder, unit), "utf8");
    const root = /^Environment=DISCO_ROOT=\/var\/lib\/(.*)$/m.exec(text)?.[1];
    const directories = /^StateDirectory=(.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
    assert.ok(root !== undefined && directories.includes(root), `${unit}: ${root}`);
    assert.match(text, /^KillMode=mixed$/m);
    assert.match(text, /^LimitNOFILE=65536$/m);
    // V8 writes code into memory.
    assert.doesNotMatch(text, /^MemoryDenyWriteExecute=yes/m);
  }
});
