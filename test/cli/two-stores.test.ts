/** Jobs that ran before the daemon was started, and jobs of a daemon that does not run: neither looks as if it were gone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CommandPlace } from "./cli.test-kit.ts";

const quick = `export default { input: ["raw://a"], map: (line: string) => [[line, 1]] };`;

describe("the jobs of a root with and without its daemon", () => {
  let place: CommandPlace;
  let early = "";
  let later = "";
  before(async () => {
    place = await CommandPlace.open({ shared: true });
    await place.write("quick.ts", quick);
    early = await run("early");
  });
  after(() => place.close());

  async function run(name: string): Promise<string> {
    return (await place.json<{ jobs: { name: string }[] }>("run", "quick.ts", "--name", name)).jobs[0]?.name ?? "";
  }

  test("a job that ran before `disco start` is said to be there, by its name, its beginning and a pattern", async () => {
    assert.equal((await place.disco(["jobs"])).stderr, "");
    await place.startDaemon();
    assert.equal((await place.disco(["jobs"])).stderr, "1 job was run without the daemon (--master local)\n");
    later = await run("earlier");
    for (const args of [
      ["cat", early],
      ["job", "early@"],
      ["kill", "early@*"],
      ["purge", early],
    ]) {
      const { code, stderr } = await place.refused(args);
      assert.equal(code, 2);
      assert.ok(stderr.includes(`hint: ${early} was run without the daemon: --master local finds it.`), stderr);
    }
    assert.equal((await place.disco(["cat", early, "--master", "local"])).stdout, "a\t1\n");
    const listed = await place.disco(["jobs"]);
    assert.match(listed.stdout, new RegExp(`^${later} `, "m"));
    assert.equal(listed.stderr, "1 more job was run without the daemon (--master local)\n");
    assert.equal((await place.disco(["jobs", "earlier"])).stderr, "", "a list that was asked for has all that was");
  });

  test("a job of a daemon that was killed, or stopped, is said to be known when it runs", async () => {
    const { pid } = JSON.parse(readFileSync(join(place.root, "daemon.json"), "utf8")) as { readonly pid: number };
    process.kill(pid, "SIGKILL");
    for (const word of [later, "earlier"]) {
      const { code, stderr } = await place.refused(["job", word]);
      assert.equal(code, 2);
      assert.match(stderr, /^error: there is no job earlier/m);
      assert.match(
        stderr,
        /^hint: The files of earlier@\S+ are there: the daemon of \S+ knows its jobs when it runs\./m,
      );
      assert.match(stderr, /`disco start` goes on with them/);
    }
    const listed = await place.disco(["jobs"]);
    assert.match(listed.stdout, new RegExp(`^${early} `, "m"));
    assert.equal(
      listed.stderr,
      "1 more job has files here: jobs of the daemon are known when it runs (`disco start`)\n",
    );
    await place.startDaemon();
    assert.equal((await place.json<{ readonly status: string }>("job", later)).status, "ready");
    assert.match((await place.refused(["job", later, "--master", "local"])).stderr, /leave out --master local/);
    assert.match((await place.refused(["job", "earler"])).stderr, /Did you mean earlier@/, "slips are still answered");
  });
});

test("tags made before `disco start`, and tags of a daemon that was stopped, are said to be there", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  await place.write("a.txt", "a\n");
  const said = async (...args: string[]): Promise<string> => (await place.ddfs(args)).stderr;
  assert.equal(await said("ls"), "no tags\n");
  await said("push", "early", "a.txt");
  await place.startDaemon();
  const commands = "Tags made without the daemon are a list of their own: --master local.";
  assert.equal(await said("ls"), `no tags\n${commands}\n`);
  assert.ok((await said("cat", "early")).includes(`hint: ${commands}`));
  assert.equal((await place.ddfs(["cat", "early", "--master", "local"])).stdout, "a\n");
  await said("push", "later", "a.txt");
  await place.disco(["stop"]);
  const daemon = "Tags of the daemon are there when it runs: `disco start`.";
  assert.ok((await said("cat", "later")).includes(`hint: ${daemon}`));
  assert.equal(await said("ls", "later"), `no such tags\n${daemon}\n`);
});
