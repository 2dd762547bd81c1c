import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openSqliteJournal } from "../../../journal/sqlite.ts";
import type { Finding } from "./finding.ts";
import { checkRoot } from "./root.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-doctor-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function found(findings: readonly Finding[], check: string): Finding {
  const finding = findings.find((one) => one.check === check);
  assert.ok(finding !== undefined, `${check} was looked at`);
  return finding;
}

describe("the root", () => {
  it("may be made at the first use, where that is possible", async () => {
    assert.equal(found(await checkRoot(join(folder, "a/b"), 0, false), "root").state, "ok");
    await writeFile(join(folder, "file"), "");
    const refused = found(await checkRoot(join(folder, "file"), 0, false), "root");
    assert.equal(refused.state, "fail");
    assert.match(refused.message, /is not a directory$/);
  });

  it("is nobody else's to write to, or to look into", async () => {
    await chmod(folder, 0o777);
    const open = found(await checkRoot(folder, 0, false), "root");
    assert.equal(open.state, "warn");
    assert.equal(open.hint, `chmod o-w ${folder}`);
    await chmod(folder, 0o755);
    const readable = found(await checkRoot(folder, 0, false), "root");
    assert.equal(readable.state, "warn");
    assert.match(readable.hint ?? "", /^chmod go-rwx /);
    await chmod(folder, 0o700);
    assert.equal(found(await checkRoot(folder, 0, false), "root").state, "ok");
  });

  it("has room, beyond the reserve", async () => {
    const findings = await checkRoot(folder, 0, false);
    assert.notEqual(found(findings, "disk").state, "fail");
    const none = found(await checkRoot(folder, 2 ** 60, false), "disk");
    assert.equal(none.state, "fail");
    assert.match(none.message, /below the reserve of .*, no jobs are taken$/);
    assert.match(none.hint ?? "", /disco purge/);
  });

  it("has a journal that can be read, and that nobody has written tomorrow", async () => {
    const file = join(folder, "master.sqlite");
    openSqliteJournal(file).closeSync();
    assert.equal(found(await checkRoot(folder, 0, false), "journal").state, "ok");
    const tomorrow = Date.now() / 1000 + 86_400;
    await utimes(file, tomorrow, tomorrow);
    assert.match(
      found(await checkRoot(folder, 0, true), "clock").message,
      /^the journal was written 86\d{3} s in the future$/,
    );
    await writeFile(file, "this is no database at all, only some text that stands here");
    assert.equal(found(await checkRoot(folder, 0, false), "journal").state, "fail");
  });

  it("has a journal that is in use by somebody who does not say so", async () => {
    const file = join(folder, "master.sqlite");
    await rm(file);
    const journal = openSqliteJournal(file);
    try {
      assert.equal(found(await checkRoot(folder, 0, false), "journal").state, "fail");
    } finally {
      journal.closeSync();
    }
  });
});
