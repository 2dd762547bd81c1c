/** `disco kill`, `clean` and `purge`: what they take, what they ask, and what is gone afterwards. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CommandPlace, endless } from "./cli.test-kit.ts";

const quick = `export default { input: ["raw://a"], map: (line: string) => [[line, 1]] };`;

/** `script` of util-linux runs a command on a terminal of its own. */
function missingScript(): string | false {
  const { status } = spawnSync("script", ["-qec", "true", "/dev/null"], { stdio: "ignore" });
  return status === 0 ? false : "there is no `script` that takes -e and -c";
}

interface Change {
  readonly name: string;
  readonly done: boolean;
}

describe("ending jobs", () => {
  let place: CommandPlace;

  before(async () => {
    place = await CommandPlace.open({ shared: true });
    await place.startDaemon();
    await place.write("quick.ts", quick);
    await place.write("endless.ts", endless);
  });
  after(() => place.close());

  async function submit(file: string, name: string): Promise<string> {
    return (await place.out("submit", file, "--name", name)).trimEnd();
  }

  async function ended(name: string): Promise<string> {
    const job = await submit("quick.ts", name);
    await place.out("wait", job, "--quiet");
    return job;
  }

  async function statusOf(name: string): Promise<unknown> {
    return (await place.json<{ readonly status: unknown }>("job", name)).status;
  }

  test("a job that is named in full is killed at once, and says by whom it is dead", async () => {
    const name = await submit("endless.ts", "one");
    const done = await place.disco(["kill", name]);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stderr, `killed ${name}\n`);
    assert.equal(await statusOf(name), "dead");
    const again = await place.disco(["kill", name]);
    assert.equal(again.code, 0);
    assert.equal(again.stderr, `${name} has ended already\n`);
  });

  test("several jobs, and those that a pattern means, need a yes where nobody can be asked", async () => {
    const names = [await submit("endless.ts", "many"), await submit("endless.ts", "many")];
    for (const args of [
      ["kill", ...names],
      ["kill", "many@*"],
    ]) {
      const refused = await place.refused(args);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /kill of many@\S+, many@\S+ needs a confirmation\nhint: Say --yes\./);
    }
    for (const name of names) assert.equal(await statusOf(name), "active", "nothing was done");
    const changes = await place.json<Change[]>("kill", "many@*", "--yes");
    assert.deepEqual(changes.map(({ name }) => name).sort(), [...names].sort());
    assert.ok(changes.every(({ done }) => done));
    const nothing = await place.disco(["kill", "many@*", "--yes"]);
    assert.equal(nothing.stderr, "nothing to kill: what matches has ended\n");
  });

  test("purge of a job that runs is refused, and killing it as well has to be said", async () => {
    const name = await submit("endless.ts", "runs");
    const refused = await place.refused(["purge", name]);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /runs@\S+ still runs\nhint: `disco kill` ends it first; `disco purge --force` does both/,
    );
    await place.out("purge", name, "--force");
    assert.equal((await place.refused(["job", name])).code, 2);
  });

  test("a pattern of purge means jobs that have ended, of a status where one is given", async () => {
    const ready = await ended("mixed");
    const active = await submit("endless.ts", "mixed");
    const dead = await submit("endless.ts", "mixed");
    await place.out("kill", dead);
    assert.deepEqual(await place.json("purge", "mixed@*", "--status", "dead", "--yes"), [{ name: dead, done: true }]);
    assert.deepEqual(await place.json("purge", "mixed@*", "--yes"), [{ name: ready, done: true }]);
    assert.equal(await statusOf(active), "active");
    const nothing = await place.disco(["purge", "mixed@*", "--yes"]);
    assert.equal(nothing.stderr, "nothing to purge: what matches still runs (--force)\n");
    await place.out("kill", active);
  });

  test("a short name that could be one of several is refused, and so is a wrong pattern", async () => {
    await ended("twin");
    await ended("twin");
    const refused = await place.refused(["purge", "twin", "--yes"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /twin may be any of twin@\S+, twin@\S+\n/);
    assert.equal((await place.refused(["purge", "twin[", "--yes"])).code, 2);
    const short = await place.refused(["purge", await ended("alone").then(() => "alone")]);
    assert.match(
      short.stderr,
      /purge of alone@\S+ needs a confirmation\nhint: Say --yes, or the full name: disco purge alone@/,
    );
  });

  test("on a terminal the list is shown and a person is asked", { skip: missingScript() }, async () => {
    const names = [await ended("asked"), await ended("asked")];
    const no = await answer("n\n");
    for (const name of names) assert.ok(no.includes(`  ${name}\r\n`), no);
    assert.match(no, /purge these 2 jobs\? \[y\/N\]/);
    assert.match(no, /error: nothing was done/);
    assert.equal((await place.json<unknown[]>("jobs", "asked")).length, 2);
    assert.match(await answer("y\n"), /purged asked@/);
    assert.deepEqual(await place.json("jobs", "asked"), []);
  });

  /** What a terminal shows of `disco purge 'asked*'` when this is typed. */
  async function answer(typed: string): Promise<string> {
    const script = `${process.execPath} ${join(import.meta.dirname, "..", "..", "bin", "disco.js")} purge 'asked*'`;
    const env = { ...process.env, DISCO_ROOT: place.root, DISCO_CONFIG: "none", NO_COLOR: "1", NODE_OPTIONS: "" };
    const child = spawn("script", ["-qec", script, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const asked = shown.includes("[y/N]");
      shown += text;
      if (!asked && shown.includes("[y/N]")) child.stdin.write(typed);
    });
    await once(child, "close");
    return shown;
  }

  test("clean forgets a job and keeps its records, which can be read, and purged by force", async () => {
    const name = await ended("cleaned");
    const results = (await place.out("results", name)).trimEnd();
    await place.out("clean", name);
    assert.equal((await place.refused(["job", name])).code, 2);
    assert.equal(await place.out("cat", results), "a\t1\n");
    assert.equal((await place.refused(["purge", name])).code, 2);
    await place.out("purge", name, "--force");
    assert.match((await place.refused(["cat", results])).stderr, /not there|no such|not found/i);
  });
});

describe("ending jobs without a daemon", () => {
  test("a root's own jobs are cleaned and purged as well", async (t) => {
    const place = await CommandPlace.open({ shared: true });
    t.after(() => place.close());
    await place.write("quick.ts", quick);
    await place.out("run", "quick.ts", "--quiet", "--name", "first");
    await place.out("run", "quick.ts", "--quiet", "--name", "second");
    const refused = await place.refused(["purge", "*"]);
    assert.match(refused.stderr, /needs a confirmation/);
    const changes = await place.json<Change[]>("purge", "*", "--yes");
    assert.deepEqual(
      changes.map(({ done }) => done),
      [true, true],
    );
    assert.deepEqual(await place.json("jobs"), []);
  });
});
