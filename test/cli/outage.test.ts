/** Commands that wait for a job while its master is gone: what they say, how they end, and how they find it again. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Finished } from "../run-disco.ts";
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

/** A command in the background, and all that it has said from its first byte on. */
class Command {
  readonly done: Promise<Finished>;
  readonly #child: ChildProcess;
  #said = "";

  constructor(place: CommandPlace, ...args: readonly string[]) {
    let child: ChildProcess | undefined;
    this.done = place.disco(args, { started: (started) => (child = started) });
    this.#child = child as ChildProcess;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk) => (this.#said += String(chunk)));
    }
  }

  /** Resolves with all of it as soon as that matches. */
  says(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (): void => {
      if (pattern.test(this.#said)) resolve(this.#said);
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on("data", look);
    this.#child.once("close", () => reject(new Error(`it ended without saying ${pattern}: ${this.#said}`)));
    look();
    return promise;
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }
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
    const run = new Command(place, "run", "waits.ts");
    await run.says(/map started/);
    const url = killDaemon();
    const said = await run.says(/does not answer/);
    assert.ok(
      said.includes(`disco: the master at ${url} does not answer; asking again (Ctrl-C leaves the job there)\n`),
      said,
    );
    const at = performance.now();
    run.interrupt();
    const { code, stderr } = await run.done;
    assert.ok(performance.now() - at < 5000, "it waited for the master");
    assert.equal(code, 130, stderr);
    const left = /^disco: the master at (\S+) does not answer; (waits@\S+) left there: `disco kill (\S+)` ends it$/m;
    const [, master, name, again] = left.exec(stderr) ?? assert.fail(stderr);
    assert.deepEqual([master, again], [url, name]);
    assert.doesNotMatch(stderr, /killing|stopped/);
    assert.equal(stderr.match(/asking again/g)?.length, 1, stderr);
    await place.startDaemon();
    assert.equal((await place.json<{ readonly status: string }>("job", name as string)).status, "active");
  });

  test("is found again at another port by run, wait and events, which say so and see the job to its end", async () => {
    const run = new Command(place, "run", "waits.ts");
    await run.says(/map started/);
    const wait = new Command(place, "wait", "waits");
    const events = new Command(place, "events", "waits", "--follow");
    await Promise.all([wait.says(/map/), events.says(/Starting|started|map/i)]);
    const before = killDaemon();
    await Promise.all([run, wait, events].map((command) => command.says(/asking again \(Ctrl-C/)));
    assert.notEqual(await place.startDaemon(), before);
    await Promise.all([run, wait, events].map((command) => command.says(/answers again\n/)));
    await writeFile(join(place.folder, "go"), "");
    const ended = await Promise.all([run.done, wait.done, events.done]);
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    assert.match(ended[0].stdout, /a\s+1/);
    assert.match(ended[2].stdout, /READY/);
  });
});
