/** Commands that wait for a job while its master is gone: what they say, how they end, and how they find it again. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { CommandPlace } from "./cli.test-kit.ts";

/** Runs until the file `go` is there. */
const waits = `import { existsSync } from "node:fs";
export default {
  input: ["raw://a"],
  params: { go: new URL("go", import.meta.url).pathname },
  async map(line: string, params: { go: string }): Promise<[string, number][]> {
    while (!existsSync(params.go)) await new Promise((resolve) => setTimeout(resolve, 20));
    return [[line, 1]];
  },
};`;

/** Resolves with what the command has said, when that matches. */
function says(child: ChildProcess, pattern: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  child.stderr?.on("data", (chunk) => {
    text += String(chunk);
    if (pattern.test(text)) resolve(text);
  });
  child.once("close", () => reject(new Error(`it ended without saying ${pattern}: ${text}`)));
  return promise;
}

describe("a master that is gone while a command waits", { timeout: 120_000 }, () => {
  let place: CommandPlace;
  beforeEach(async () => {
    place = await CommandPlace.open();
    await place.startDaemon();
    await place.write("waits.ts", waits);
  });
  afterEach(() => place.close());

  function killDaemon(): string {
    const { pid, url } = JSON.parse(readFileSync(join(place.root, "daemon.json"), "utf8")) as {
      readonly pid: number;
      readonly url: string;
    };
    process.kill(pid, "SIGKILL");
    return url;
  }

  test("is told in one line, and Ctrl-C then leaves the job there and ends the run at once", async () => {
    let child: ChildProcess | undefined;
    const running = place.disco(["run", "waits.ts"], { started: (started) => (child = started) });
    await says(child as ChildProcess, /started|map/);
    const url = killDaemon();
    const said = await says(child as ChildProcess, /does not answer/);
    assert.ok(
      said.includes(`disco: the master at ${url} does not answer; asking again (Ctrl-C leaves the job there)\n`),
      said,
    );
    const at = performance.now();
    child?.kill("SIGINT");
    const done = await running;
    assert.ok(performance.now() - at < 5000, "it waited for the master");
    assert.equal(done.code, 130, done.stderr);
    const left = /^disco: the master at (\S+) does not answer; (waits@\S+) left there: `disco kill (\S+)` ends it$/m;
    const [, master, name, again] = left.exec(done.stderr) ?? assert.fail(done.stderr);
    assert.deepEqual([master, again], [url, name]);
    assert.doesNotMatch(done.stderr, /killing|stopped/);
    assert.equal(done.stderr.match(/asking again/g)?.length, 1, done.stderr);
    await place.startDaemon();
    assert.equal((await place.json<{ readonly status: string }>("job", name as string)).status, "active");
  });

  test("is found again at another port by run, wait and events, which say so and see the job to its end", async () => {
    const children: ChildProcess[] = [];
    const started = (child: ChildProcess): number => children.push(child);
    const running = place.disco(["run", "waits.ts"], { started });
    await says(children[0] as ChildProcess, /started|map/);
    const waiting = place.disco(["wait", "waits"], { started });
    const following = place.disco(["events", "waits", "--follow"], { started });
    await says(children[1] as ChildProcess, /started|map/);
    const events = children[2] as ChildProcess;
    await new Promise((resolve) => events.stdout?.once("data", resolve));
    const before = killDaemon();
    await Promise.all(children.map((child) => says(child, /asking again \(Ctrl-C/)));
    const after = await place.startDaemon();
    assert.notEqual(after, before);
    await Promise.all(children.map((child) => says(child, /answers again\n/)));
    await writeFile(join(place.folder, "go"), "");
    for (const { code, stderr } of await Promise.all([running, waiting, following])) assert.equal(code, 0, stderr);
    assert.match((await following).stdout, /READY/);
    assert.match((await running).stdout, /a\s+1/);
  });
});
