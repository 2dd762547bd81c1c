/** docs/cluster.md: what it tells readers to set can be set, files that it names are there, and ports are the defaults. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { part } from "../../src/bus/subjects.ts";
import { masterPermissions, nodePermissions } from "../../src/nats/permissions.ts";
import { resolveClusterSettings } from "../../src/settings/cluster.ts";
import { flagOf, settingNames, settingOf } from "../../src/settings/table.ts";

const docs = join(import.meta.dirname, "..", "..", "docs");
const page = readFileSync(join(docs, "cluster.md"), "utf8");
const settings = settingNames.map(settingOf);

test("variables and flags of settings on the page exist", () => {
  const variables = new Set([...page.matchAll(/\bDISCO_[A-Z_]+/g)].map(([name]) => name));
  assert.ok(variables.size >= 15);
  const known = new Set(settings.map(({ env }) => env));
  assert.deepEqual(
    [...variables].filter((name) => !known.has(name)),
    [],
  );
  const flags = [...page.matchAll(/`(--[a-z-]+) [a-z]+:/g)].map(([, flag]) => flag);
  assert.ok(flags.length >= 3);
  const knownFlags = settings.map(flagOf);
  assert.deepEqual(
    flags.filter((flag) => !knownFlags.includes(flag ?? "")),
    [],
  );
});

test("files that the page links to, and tests that it names, are there", () => {
  const linked = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = ""]) => join(docs, path));
  const named = [...page.matchAll(/`((?:test|deploy)\/[\w./-]+)`/g)].map(([, path = ""]) => join(docs, "..", path));
  assert.ok(linked.length >= 5 && named.length >= 2);
  assert.deepEqual(
    [...linked, ...named].filter((path) => !existsSync(path)),
    [],
  );
});

test("ports of masters and nodes are those of the table", () => {
  const given = { flags: { config: "none", engine: "nats://n1" }, env: {}, cwd: docs };
  for (const role of ["master", "node"] as const) {
    const { port } = resolveClusterSettings(role, given).settings;
    assert.match(page, new RegExp(`^\\| ${port} \\| ${role} \\|`, "m"));
  }
});

test("permissions at NATS are those that masters and nodes need, and no others", () => {
  const { publish, subscribe, allowResponses } = nodePermissions("disco", part("n1.example.org"));
  const master = masterPermissions("disco");
  const list = (subjects: readonly string[]): string => `[${subjects.map((subject) => `"${subject}"`).join(", ")}]`;
  assert.ok(page.includes(`publish: ${list(publish)}\n`));
  assert.ok(page.includes(`subscribe: ${list(subscribe)}\n`));
  assert.ok(page.includes(`allow_responses: { max: ${allowResponses.max}, expires: "${allowResponses.expires}" }`));
  assert.ok(page.includes(`{ publish: ${list(master.publish)}, subscribe: ${list(master.subscribe)} }`));
});
