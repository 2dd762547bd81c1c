/** `disco run`, `submit` and `wait` at a master in another process. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { CommandPlace, dies, endless, wordCount } from "./cli.test-kit.ts";

describe("running jobs at a master", () => {
  let place: CommandPlace;
  let url = "";

  before(async () => {
    place = await CommandPlace.open({ shared: true });
    url = await place.startDaemon();
    await place.write("count.ts", wordCount);
    await place.write("dies.ts", dies);
    await place.write("endless.ts", endless);
  });
  after(() => place.close());

  test("run finds the daemon of the root, says so in one line, and shows the same as without one", async () => {
    const done = await place.disco(["run", "count.ts"]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, new RegExp(`^disco: this runs at ${url} \\(the daemon of ${place.root}\\)\n`));
    assert.match(done.stderr, /^count@\S+: map done, 2 tasks/m);
    assert.match(done.stdout, /^ {2}question {2}1$/m);
    assert.match(done.stdout, /^results: .*\/data\/localhost\//m);
    const name = /^(count@\S+):/m.exec(done.stdout)?.[1];
    assert.equal((await place.json<{ name: string }[]>("jobs", "count", "--limit", "1"))[0]?.name, name);
  });

  test("run --master local stays on this machine, and the daemon knows nothing of it", async () => {
    const done = await place.disco(["run", "count.ts", "--name", "mine", "--master", "local", "-o", "-"]);
    assert.equal(done.code, 0, done.stderr);
    assert.doesNotMatch(done.stderr, /this runs at/);
    assert.match(done.stdout, /^be\t3$/m);
    assert.deepEqual(await place.json("jobs", "mine"), []);
    assert.equal((await place.json<unknown[]>("jobs", "mine", "--master", "local")).length, 1);
  });

  test("new Disco() in the job's module means the master of the run", async () => {
    await place.write(
      "own.ts",
      `import { Disco, resultIterator } from "disco-mapreduce";
       const own = new Disco();
       export default async () => {
         const job = await own.newJob("own", { input: ["raw://x"], map: (line: string) => [[line, 1]] });
         for await (const pair of resultIterator(await job.wait())) console.log(JSON.stringify(pair));
         await own.close();
       };`,
    );
    const elsewhere = await CommandPlace.open({ shared: true });
    try {
      const { folder } = place;
      const done = await elsewhere.disco(["run", `${folder}/own.ts`, "--master", url]);
      assert.equal(done.code, 0, done.stderr);
      assert.equal(done.stdout, '["x",1]\n');
    } finally {
      await elsewhere.close();
    }
    assert.equal((await place.json<unknown[]>("jobs", "own")).length, 1);
  });

  test("DISCO_EVENTS prints the events once, as lines or as JSON", async () => {
    const lines = await place.disco(["run", "count.ts", "-q"], { env: { DISCO_EVENTS: "1" } });
    assert.equal(lines.stderr.match(/READY: Job done/g)?.length, 1, lines.stderr);
    const json = await place.disco(["run", "count.ts", "-q"], { env: { DISCO_EVENTS: "json" } });
    const events = json.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly message: string });
    assert.equal(events.filter(({ message }) => message.startsWith("READY: ")).length, 1);
  });

  test("Ctrl-C kills the job at the master too", async () => {
    const done = await place.disco(["run", "endless.ts"], { started: (child) => interruptWhen(child, "spinning") });
    assert.equal(done.code, 130, done.stderr);
    const name = /killing (endless@\S+)/.exec(done.stderr)?.[1] ?? "";
    assert.equal((await place.json<{ status: string }>("job", name)).status, "dead");
  });

  test("Ctrl-C of wait ends the waiting, and the job goes on", async () => {
    const name = (await place.out("submit", "endless.ts")).trimEnd();
    const done = await place.disco(["wait", name], { started: (child) => interruptWhen(child, "spinning") });
    assert.notEqual(done.code, 0);
    assert.equal((await place.json<{ status: string }>("job", name)).status, "active");
    const late = await place.refused(["wait", name, "--timeout", "0.1", "--json"]);
    assert.equal(late.code, 1);
    assert.match(late.stderr, /not all jobs have ended in 0\.1 s; they go on/);
    await place.out("kill", name);
  });

  test("run --detach and submit print the name and do not wait; --json says where", async () => {
    const name = (await place.out("run", "endless.ts", "--detach")).trimEnd();
    assert.match(name, /^endless@[0-9a-f]+:[0-9a-f]+:[0-9a-f]+$/);
    const { master, jobs } = await place.json<{ master: string; jobs: string[] }>(
      "submit",
      "endless.ts",
      "-n",
      "other",
    );
    assert.equal(master, url);
    assert.match(jobs[0] ?? "", /^other@/);
    const page = await place.out("job", name);
    assert.match(page, /^ {2}TASK +STATUS .*\n {2}map:0 +running +1 +localhost\b/m);
    const tasks = await place.json<{ stage: string; status: string }[]>("job", name, "--tasks");
    assert.deepEqual(
      tasks.map(({ stage, status }) => [stage, status]),
      [["map", "running"]],
    );
    await place.out("kill", name, ...jobs, "--yes");
  });

  test("submit takes a job pack as it is", async () => {
    await place.write(
      "pack.ts",
      `import { writeFile } from "node:fs/promises";
       import { JobDict } from "disco-mapreduce";
       export default async () => {
         const dict = new JobDict({ prefix: "packed", input: ["raw://x"], map: (line: string) => [[line, 1]] });
         await writeFile("job.pack", await dict.pack());
       };`,
    );
    await place.out("run", "pack.ts");
    const name = (await place.out("submit", "job.pack")).trimEnd();
    assert.match(name, /^packed@/);
    await place.out("wait", name, "-q");
    assert.equal(await place.out("cat", name), "x\t1\n");
    assert.match(
      (await place.refused(["submit", "job.pack", "-n", "new"])).stderr,
      /is a job pack, which cannot be changed/,
    );
  });

  test("a job that nothing runs of says why after some seconds", async () => {
    await place.out("blacklist", "localhost");
    const done = await place.disco(["run", "count.ts"], { started: (child) => interruptWhen(child, " waits: ") });
    await place.out("whitelist", "localhost");
    assert.equal(done.code, 130);
    assert.match(done.stderr, /^count@\S+ waits: all nodes are blacklisted$/m);
  });

  test("a job that dies is exit status 1, with the line of the source, as without a master", async () => {
    const done = await place.refused(["run", "dies.ts"]);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /> 4 \| {5}throw new RangeError/);
  });
});

test("wait at a master that dies, and does not come back, is exit status 3", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  await place.write("endless.ts", endless);
  const { pid } = await place.json<{ readonly pid: number }>("start");
  const name = (await place.out("submit", "endless.ts")).trimEnd();
  const done = await place.refused(["wait", name], {
    env: { DISCO_RETRY_SECONDS: "0" },
    started: (child) => whenSaid(child, "spinning", () => process.kill(pid, "SIGKILL")),
  });
  assert.equal(done.code, 3, done.stderr);
  assert.match(done.stderr, /^error: the master at .*\nhint: /m);
});

test("master, owner and all else that disco.toml says holds for a run, below its flags", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  await place.write("count.ts", wordCount);
  await place.write("disco.toml", 'master = "disco://127.0.0.1:1"\njob_owner = "ann"\nretry_seconds = 0\n');
  const env = { DISCO_CONFIG: "" };
  const away = await place.refused(["run", "count.ts"], { env });
  assert.equal(away.code, 3, away.stderr);
  assert.match(away.stderr, /this runs at disco:\/\/127\.0\.0\.1:1 \(.*disco\.toml line 1\)/);
  const here = await place.disco(["run", "count.ts", "--master", "local"], { env });
  assert.equal(here.code, 0, here.stderr);
  const { stdout } = await place.disco(["jobs", "--master", "local"], { env });
  assert.match(stdout, /^count@.* ann$/m);
});

test("submit without a master is refused, and says what to do", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  await place.write("count.ts", wordCount);
  const refused = await place.refused(["submit", "count.ts"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /hint: `disco start` starts one/);
});

test("a master that does not answer is exit status 3, with what to check", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  await place.write("count.ts", wordCount);
  const address = await unusedAddress();
  const commands = [
    ["jobs", "--master", address],
    ["job", "a@1:2:3", "--master", address],
    ["run", "count.ts", "--master", address],
    ["submit", "count.ts", "--master", address],
    ["purge", "a@1:2:3", "--master", address, "--json"],
  ];
  for (const args of commands) {
    const refused = await place.refused(args, { env: { DISCO_RETRY_SECONDS: "0" } });
    assert.equal(refused.code, 3, `${args.join(" ")}: ${refused.stderr}`);
    assert.match(refused.stderr, /cannot be reached: connection refused/);
    assert.match(refused.stderr, /hint: .*disco start/);
    if (args.includes("--json"))
      assert.equal((JSON.parse(refused.stdout) as { error: { code: string } }).error.code, "comm-error");
  }
});

test("an address that is none is refused with where it stands", async (t) => {
  const place = await CommandPlace.open({ shared: true });
  t.after(() => place.close());
  const flag = await place.refused(["jobs", "--master", "here"]);
  assert.equal(flag.code, 2, flag.stderr);
  assert.match(flag.stderr, /--master is "here", expected disco:\/\/host/);
  const variable = await place.refused(["jobs"], { env: { DISCO_MASTER: "here" } });
  assert.equal(variable.code, 2);
  assert.match(variable.stderr, /DISCO_MASTER in the environment is "here"/);
});

/** Sends SIGINT once, when the process has said so. */
function interruptWhen(child: ChildProcess, text: string): void {
  whenSaid(child, text, () => child.kill("SIGINT"));
}

function whenSaid(child: ChildProcess, text: string, act: () => void): void {
  let said = "";
  let done = false;
  child.stderr?.on("data", (part: string) => {
    said += part;
    if (done || !said.includes(text)) return;
    done = true;
    act();
  });
}

/** Somebody listened there a moment ago, and nobody does now. */
async function unusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return `disco://127.0.0.1:${address.port}`;
}
