/** A journal is made anew from what nodes keep (fault 34, fault 58). */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { MasterApi } from "../client/master-api.ts";
import { partsOfObject } from "../core/ddfs/names.ts";
import { openEmbedded } from "./embedded.ts";
import { rebuildRoot } from "./rebuild.ts";

async function store({ ddfs }: MasterApi, name: string, text: string): Promise<string> {
  const [target] = await ddfs.newBlob(name);
  assert.ok(target !== undefined);
  return (await ddfs.putBlob(target, Readable.from([Buffer.from(text)]))).url;
}

function microsOf(file: string): number {
  return partsOfObject(basename(file))?.micros ?? 0;
}

describe("rebuilding a journal from nodes", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-rebuild-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const using = async <T>(act: (engine: MasterApi) => Promise<T>): Promise<T> => {
    const engine = await openEmbedded({ root, slots: 1 });
    try {
      return await act(engine);
    } finally {
      await engine.close();
    }
  };
  const snapshots = (): string[] =>
    globSync("data/ddfs/*/blob/*/disco:tags$*", { cwd: root })
      .filter((name) => !name.includes(".sum"))
      .sort((a, b) => microsOf(a) - microsOf(b));
  const dropJournal = async (): Promise<void> => {
    for (const name of globSync("journal.sqlite*", { cwd: root })) await rm(join(root, name));
  };

  it("has every tag as it was: lists in their order, attributes, tokens; and says what was tagged by nobody", async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => [`http://example.org/${"x".repeat(80)}/${i}`]);
    const { url, lost } = await using(async (engine) => {
      const { ddfs } = engine;
      const first = await store(engine, "a", "bytes");
      await ddfs.link("plain", [[first]]);
      await ddfs.link("long", lines);
      await ddfs.link("long", [["tag://plain"]]);
      await ddfs.setAttr("plain", "lang", { is: "en" });
      await ddfs.putTag("secret", [[first]], { token: "open sesame" });
      return { url: first, lost: await store(engine, "b", "untagged") };
    });
    assert.equal(snapshots().length, 1);
    assert.doesNotMatch((await readFile(join(root, snapshots()[0] ?? ""))).toString("latin1"), /sesame/);
    await dropJournal();
    await using(async ({ ddfs }) => {
      await assert.rejects(ddfs.tags(), { code: "other-cluster", hint: /rebuild/ });
    });
    const rebuilt = await rebuildRoot(root, "scripts");
    assert.deepEqual([rebuilt.tags, rebuilt.urls, rebuilt.damaged], [3, 3_003, []]);
    assert.deepEqual([rebuilt.unnamed.first, rebuilt.absent.count], [[lost.split("/").at(-1)], 0]);
    await using(async ({ ddfs }) => {
      assert.deepEqual(await ddfs.tags(), ["long", "plain", "secret"]);
      assert.deepEqual((await ddfs.tag("long")).urls, [["tag://plain"], ...lines]);
      assert.deepEqual(await ddfs.getAttr("plain", "lang"), { is: "en" });
      assert.equal((await buffer((await ddfs.openBlob(url)).body)).toString(), "bytes");
      await assert.rejects(ddfs.tag("secret"), { code: "tag-unauthorized" });
      await assert.rejects(ddfs.tag("secret", { token: "sesame" }), { code: "tag-unauthorized" });
      assert.deepEqual((await ddfs.tag("secret", { token: "open sesame" })).urls, [[url]]);
    });
    await assert.rejects(rebuildRoot(root, "scripts"), { code: "not-empty" });
  });

  it("takes the snapshot before, where the newest is damaged, and names that one", async () => {
    await using(({ ddfs }) => ddfs.link("t", [["http://one"]]));
    await using(({ ddfs }) => ddfs.link("t", [["http://two"]]));
    const [, newest = ""] = snapshots();
    const file = join(root, newest);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await chmod(file, 0o600);
    await writeFile(file, bytes);
    await dropJournal();
    const rebuilt = await rebuildRoot(root, "scripts");
    assert.deepEqual(rebuilt.damaged, [file]);
    await using(async ({ ddfs }) => assert.deepEqual((await ddfs.tag("t")).urls, [["http://one"]]));
  });

  it("says where it looked in vain", async () => {
    await assert.rejects(rebuildRoot(root, "scripts"), { code: "no-volume" });
    await using((engine) => store(engine, "a", "x"));
    await dropJournal();
    await assert.rejects(rebuildRoot(root, "scripts"), { code: "no-snapshot", message: /there is none/ });
  });

  it("keeps no snapshot where no tag has changed", async () => {
    await using(({ ddfs }) => ddfs.link("t", [["http://one"]]));
    await using(async ({ ddfs }) => {
      await ddfs.tags();
      assert.deepEqual(await ddfs.tags("disco:tags"), ["disco:tags"]);
    });
    assert.equal(snapshots().length, 1);
  });
});
