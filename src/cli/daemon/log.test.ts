import assert from "node:assert/strict";
import { it } from "node:test";
import { forPeople } from "./log.ts";

it("a line of the log is one line for people, with the stack of an error below it", () => {
  const look = { unicode: true, paint: (_: unknown, text: string) => text };
  const line = {
    level: "info",
    time: "2026-11-23T04:08:37.473Z",
    pid: 1,
    url: "http://x",
    jobs: { active: 2 },
    msg: "serving",
  };
  assert.match(
    forPeople(JSON.stringify(line), look),
    /^\d\d:\d\d:\d\d info {2}serving {2}url=http:\/\/x {2}jobs=\{"active":2\}$/,
  );
  const failed = { ...line, level: "error", err: { message: "no", stack: "Error: no\n    at here" } };
  assert.match(forPeople(JSON.stringify(failed), look), / error serving .*\nError: no\n {4}at here$/);
});
