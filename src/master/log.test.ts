import assert from "node:assert/strict";
import { test } from "node:test";
import { openLog } from "./log.ts";

test("83: tokens never reach the log, wherever they are in a line", () => {
  const lines: string[] = [];
  const secret = 'say "friend"\\';
  const log = openLog({ level: "info", secrets: [secret, ""], write: (line) => void lines.push(line) });
  log.info({ path: `/x/${secret}/y`, err: new Error(`no ${secret}`) }, `and ${secret}`);
  const [line = ""] = lines;
  const { path, msg, err } = JSON.parse(line) as { path: string; msg: string; err: { message: string } };
  assert.deepEqual([path, msg, err.message], ["/x/[secret]/y", "and [secret]", "no [secret]"]);
  assert.ok(!line.includes("friend"));
});

test("lines below the level are not written, the others are JSON with level and time", () => {
  const lines: string[] = [];
  const log = openLog({ level: "warn", write: (line) => void lines.push(line) });
  log.info({}, "not this");
  log.warn({ code: "x" }, "this");
  const [line, ...more] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(more, []);
  assert.deepEqual([line?.["level"], line?.["code"], line?.["msg"]], ["warn", "x", "this"]);
  assert.ok(Math.abs(Date.parse(String(line?.["time"])) - Date.now()) < 60_000);
});
