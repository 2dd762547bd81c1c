import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfigTable } from "./config-table.ts";

test("a table is read with ranges written out", () => {
  assert.deepEqual(
    parseConfigTable([
      [" localhost ", " 4"],
      ["host08:10", "2"],
      ["rack1-n1:3", "0"],
      ["a.example.org", "1"],
    ]),
    [
      ["localhost", 4],
      ["host08", 2],
      ["host09", 2],
      ["host10", 2],
      ["rack1-n1", 0],
      ["rack1-n2", 0],
      ["rack1-n3", 0],
      ["a.example.org", 1],
    ],
  );
});

test("a table that makes no sense is refused with the reason", () => {
  const refused = (rows: unknown, message: RegExp): void => {
    assert.throws(() => parseConfigTable(rows as [string, string][]), { code: "bad-config", message });
  };
  refused([["a", "x"]], /"x" is not a number of workers/);
  refused([["a", "-1"]], /number of workers/);
  refused([["a", 4]], /number of workers/);
  refused([["a", "10001"]], /from 0 to 10000/);
  refused([["", "1"]], /not the name of a node/);
  refused([["a/b", "1"]], /not the name of a node/);
  refused([["../a", "1"]], /not the name of a node/);
  refused([["host:10", "1"]], /a range ends/);
  refused([["host5:10", "1"]], /a range ends/);
  refused([["host20:10", "1"]], /a range ends/);
  refused([["a"]], /is not \[node, workers\]/);
  refused([["host00001:99999", "1"]], /more than 10000 nodes/);
  refused(
    [
      ["host1:3", "1"],
      ["host2", "1"],
    ],
    /^duplicate nodes$/,
  );
});
