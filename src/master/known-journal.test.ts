import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KnownJournal } from "./known-journal.ts";

test("a journal that was there and is empty is refused with the remedy; a new one, an older one, and another cluster's are not", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "disco-known-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const known = (cluster = "disco"): KnownJournal => new KnownJournal(folder, cluster);
  known().check(0);
  known().note(3);
  assert.throws(() => known().check(0), {
    code: "journal-gone",
    message: /cluster disco.*epoch 3/,
    hint: /_journal\.json/,
  });
  known("other").check(0);
  known("other").check(7);
  // A backup.
  known().check(2);
  assert.throws(() => known().check(0), { code: "journal-gone" });
  assert.throws(() => known("other").check(0), { code: "journal-gone" });
  writeFileSync(join(folder, "_journal.json"), "{");
  known().check(0);
});
