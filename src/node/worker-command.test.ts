import assert from "node:assert/strict";
import { after, test } from "node:test";
import { workerCommand } from "./worker-command.ts";

const names = [
  "DISCO_TOKEN",
  "DISCO_TOKEN_FILE",
  "DISCO_READ_TOKEN",
  "DISCO_SUBMIT_TOKEN",
  "DISCO_SUBMIT_TOKEN_FILE",
  "DDFS_READ_TOKEN",
  "DISCO_ENGINE",
  "DISCO_ENGINE_PASSWORD",
  "DISCO_JOURNAL",
  "PGPASSWORD",
] as const;
const before = { ...process.env };
after(() => {
  for (const name of [...names, "DISCO_TEST_TOKENS"]) delete process.env[name];
  Object.assign(process.env, before);
});

test("a worker's environment is that of its node, without any token", () => {
  for (const name of names) process.env[name] = "secret-of-the-operator";
  process.env["DISCO_TEST_TOKENS"] = "not a token";
  const { env, args, execArgv } = workerCommand({ memoryLimitBytes: 2 ** 28 });
  assert.equal(env["PATH"], process.env["PATH"]);
  assert.equal(env["DISCO_TEST_TOKENS"], "not a token");
  assert.ok(!JSON.stringify([env, args, execArgv]).includes("secret-of-the-operator"));
});
