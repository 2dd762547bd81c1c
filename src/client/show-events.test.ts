import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { afterEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { showMode } from "./show-events.ts";

describe("showing events", () => {
  afterEach(() => {
    delete process.env["DISCO_EVENTS"];
  });

  it("is off unless asked for, by the option or by DISCO_EVENTS", () => {
    assert.equal(showMode(undefined), "none");
    process.env["DISCO_EVENTS"] = "json";
    assert.equal(showMode(undefined), "json");
    assert.equal(showMode(false), "none");
    assert.equal(showMode(true), "lines");
    assert.equal(showMode("nocolor"), "nocolor");
    process.env["DISCO_EVENTS"] = "yes";
    assert.equal(showMode(undefined), "lines");
    assert.throws(() => showMode("loud" as never), { code: "bad-option" });
  });

  it("prints them to stderr while somebody waits", async () => {
    const script = `
      import { FakeDisco } from ${JSON.stringify(new URL("./fake-master.test-kit.ts", import.meta.url).href)};
      const disco = new FakeDisco();
      disco.fake.shown = [{ time: "2026-11-22T11:27:24.196Z", host: "node1", task: "map:0", level: "message", message: "hello" }];
      disco.fake.set("a@1:2:3", "ready");
      await disco.wait("a@1:2:3", { show: true });
      await disco.wait("a@1:2:3");
    `;
    const env = { ...process.env, DISCO_EVENTS: "json" };
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { env });
    const { stdout, stderr } = await run;
    assert.equal(stdout, "");
    const [line = "", json = ""] = stderr.split("\n");
    assert.equal(line, "11:27:24.196 node1 map:0 hello");
    assert.deepEqual(JSON.parse(json), {
      offset: 1,
      time: "2026-11-22T11:27:24.196Z",
      host: "node1",
      task: "map:0",
      level: "message",
      message: "hello",
    });
  });
});
