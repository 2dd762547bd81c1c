import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { ownCommand } from "./own-command.ts";

test("what is to be typed begins with npx where only npm finds the command", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "disco-path-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [empty, installed, app] = ["empty", "bin", "app/node_modules/.bin"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [empty, installed, app]) mkdirSync(path, { recursive: true });
  for (const path of [installed, app]) writeFileSync(join(path, "disco"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(empty, "disco"), "not to be run", { mode: 0o644 });

  const command = (path: string[], env = {}): string => ownCommand({ PATH: path.join(delimiter), ...env });
  assert.equal(command([empty]), "npx disco");
  assert.equal(ownCommand({}), "npx disco");
  assert.equal(command([empty, installed]), "disco");
  assert.equal(command([app]), "disco", "somebody has put the folder on the PATH");
  assert.equal(command([app, empty], { npm_command: "exec" }), "npx disco", "npm has, for as long as it runs");
  assert.equal(command([app, installed], { npm_command: "run-script" }), "disco");
});
