import assert from "node:assert/strict";
import { test } from "node:test";
import { masterFlags, withMasterFlags } from "./master-flags.ts";

const start = {
  execPath: "/node",
  execArgv: ["--conditions=x"],
  argv: ["/node", "/disco.js", "start"],
  nodeOptions: "",
};

test("a master's command line gets the flags in front of its script, once", () => {
  const again = withMasterFlags(start);
  assert.deepEqual(again, ["/node", "--conditions=x", ...masterFlags, "/disco.js", "start"]);
  assert.equal(withMasterFlags({ ...start, execArgv: again?.slice(1, -2) ?? [] }), null);
});

test("a limit that the user chose stays", () => {
  assert.equal(withMasterFlags({ ...start, execArgv: ["--max_semi_space_size=64"] }), null);
  assert.equal(withMasterFlags({ ...start, nodeOptions: "--max-semi-space-size=64" }), null);
});
