import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignEnvironment } from "./environment.ts";

test("a foreign worker gets the job's environment, the gateway's settings, and none of the daemon's", () => {
  const base = {
    PATH: "/bin",
    DISCO_TOKEN: "secret",
    DISCO_ROOT: "/srv",
    DDFS_READ_TOKEN: "secret",
    PGPASSWORD: "secret",
    NODE_OPTIONS: "--inspect",
    LD_LIBRARY_PATH: "/opt",
    GONE: undefined,
  };
  const jobenvs = { PYTHONPATH: "lib:tmp/job", LD_LIBRARY_PATH: "lib", DISCO_PORT: "1", DISCO_FLAGS: "nocurl" };
  assert.deepEqual(foreignEnvironment(base, jobenvs, { DISCO_PORT: "4711" }), {
    PATH: "/bin",
    PYTHONPATH: "lib:tmp/job",
    LD_LIBRARY_PATH: "lib",
    DISCO_FLAGS: "nocurl",
    DISCO_PORT: "4711",
  });
});

test("variables that no process can have are left out", () => {
  const jobenvs = { "": "x", "A=B": "x", "C\0": "x", D: "x\0y", E: "é=1" };
  assert.deepEqual(foreignEnvironment({}, jobenvs, {}), { E: "é=1" });
});
