/** `ddfs` at a terminal: Ctrl-C, and questions. What waits for seconds is here, and not among the tests of its commands. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandPlace } from "../cli/cli.test-kit.ts";

test("Ctrl-C ends a push in order: exit status 130, and nothing is tagged", { timeout: 60_000 }, async (t) => {
  const place = await CommandPlace.open();
  t.after(() => place.close());
  const stopped = await place.ddfs(["push", "slow", "-"], {
    input: null,
    started: (child) => {
      child.stdin?.write("a beginning\n");
      child.stderr?.once("data", () => child.kill("SIGINT"));
    },
  });
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stderr, /^(?:push slow: .*\n)+error: interrupted: nothing was changed\n$/);
  assert.equal((await place.ddfs(["ls"])).stdout, "");
});

test("Ctrl-C ends a push that waits for a named pipe, which no thread can be called off", {
  timeout: 60_000,
}, async (t) => {
  const place = await CommandPlace.open();
  t.after(() => place.close());
  execFileSync("mkfifo", ["pipe"], { cwd: place.folder });
  const held = await open(join(place.folder, "pipe"), "r+");
  try {
    await held.write("a beginning\n");
    const stopped = await place.ddfs(["push", "slow", "pipe"], {
      started: (child) => child.stderr?.once("data", () => child.kill("SIGINT")),
    });
    assert.equal(stopped.signal ?? stopped.code, "SIGINT", stopped.stderr);
    assert.match(stopped.stderr, /error: interrupted/);
  } finally {
    await held.close();
  }
  assert.equal((await place.ddfs(["ls"])).stdout, "");
});

test("a process of its own waits for the master's answers, to their end", { timeout: 60_000 }, async (t) => {
  const place = await CommandPlace.open();
  t.after(() => place.close());
  await place.startDaemon();
  await place.ddfs(["tag", "t", "tag://nowhere"]);
  // With a pipe for its input a command is a process of its own.
  for (const [args, said] of [
    [["fsck"], /^broken-link: /],
    [["gc", "start", "--wait"], /^garbage collection of /],
    [["scrub", "start", "--wait"], /^localhost /m],
    [["df"], /^localhost /m],
    [["du"], /^ *0 B .* t$/m],
    [["ls", "-l"], /^t /m],
    [["find", "t", "-w"], /^Tag not found: t\tnowhere$/m],
  ] as const) {
    const { stdout, stderr } = await place.ddfs(args, { input: "" });
    assert.match(stdout, said, `${args.join(" ")}: ${stderr}`);
  }
});

test("several tags are confirmed on a terminal, and a no leaves them", { skip: missingScript() }, async (t) => {
  const place = await CommandPlace.open();
  t.after(() => place.close());
  await place.ddfs(["touch", "a:1", "a:2"]);
  for (const [typed, left] of [
    ["n\n", "a:1\na:2\n"],
    ["yes\n", ""],
  ] as const) {
    const shown = await typedInto(place, "rm 'a:*'", typed);
    assert.match(shown, /^ {2}a:1\r\n {2}a:2\r\n.*rm these 2 tags\? \[y\/N\] /);
    assert.equal((await place.ddfs(["ls"])).stdout, left);
  }
});

/** `script` of util-linux runs a command on a terminal of its own. */
function missingScript(): string | false {
  const { status } = spawnSync("script", ["-qec", "true", "/dev/null"], { stdio: "ignore" });
  return status === 0 ? false : "there is no `script` that takes -e and -c";
}

async function typedInto(place: CommandPlace, words: string, typed: string): Promise<string> {
  const script = `${process.execPath} ${join(import.meta.dirname, "..", "..", "bin", "ddfs.js")} ${words}`;
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
