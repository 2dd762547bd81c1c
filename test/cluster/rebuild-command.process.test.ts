/** `disco rebuild --from-nodes`: tags are there again when the journal is gone, of a daemon and of commands without one. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandPlace } from "../cli/cli.test-kit.ts";

interface Report {
  readonly tags: number;
  readonly absent: { readonly count: number };
}

async function loseJournal(place: CommandPlace): Promise<void> {
  const files = globSync("*.sqlite*", { cwd: place.root });
  assert.ok(files.length > 0);
  for (const file of files) await rm(join(place.root, file));
}

for (const where of ["commands without a daemon", "a daemon"]) {
  test(`tags of ${where} are restored from what lies beside the blobs`, async (t) => {
    const place = await CommandPlace.open();
    t.after(() => place.close());
    const isDaemon = where === "a daemon";
    if (isDaemon) await place.startDaemon();
    await place.write("a.txt", "text\n");
    await place.ddfs(["push", "books", "a.txt"]);
    await place.ddfs(["tag", "all", "tag://books"]);
    assert.equal((await place.refused(["rebuild", "--from-nodes"])).code, 2, "the journal is there");
    if (isDaemon) await place.out("stop");
    await loseJournal(place);
    assert.match((await place.refused(["rebuild"])).stderr, /required option '--from-nodes'/);
    const report = await place.json<Report>("rebuild", "--from-nodes");
    // The snapshots' own tag may be among them.
    assert.ok(report.tags === 2 || report.tags === 3, String(report.tags));
    assert.equal(report.absent.count, 0);
    if (isDaemon) await place.startDaemon();
    const read = await place.ddfs(["cat", "all"]);
    assert.equal(read.stdout, "text\n", read.stderr);
    if (isDaemon) await place.out("stop");
    await loseJournal(place);
    for (const blob of globSync("data/ddfs/vol*/blob/*/a_txt$*", { cwd: place.root })) await rm(join(place.root, blob));
    const { code, stdout } = await place.disco(["rebuild", "--from-nodes"]);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^[23] tags with \d links restored, as they were \d{4}-/);
    assert.match(stdout, /^ {2}1 blob with a tag, and in none of these directories:\n {4}a_txt\$/m);
    const none = await CommandPlace.open();
    t.after(() => none.close());
    assert.match((await none.refused(["rebuild", "--from-nodes"])).stderr, /has no volumes of DDFS\nhint: /);
  });
}
