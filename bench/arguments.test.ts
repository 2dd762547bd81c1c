import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { readArguments, usage } from "./arguments.ts";

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], { encoding: "utf8" });
}

test("questions and options are read, in any case and order", () => {
  assert.deepEqual(readArguments(["p3", "--runs", "5", "P1b", "--scale", "0.1", "--vs", "HEAD~1"]), {
    kind: "arguments",
    arguments: { scale: { factor: 0.1, runs: 5 }, wanted: ["P3", "P1B"], source: false, profile: false, vs: "HEAD~1" },
  });
  const smoke = readArguments(["--smoke"]);
  assert.deepEqual(smoke.kind === "arguments" && smoke.arguments.scale, { factor: 0.01, runs: 1 });
});

test("what is wrong is said in one line", () => {
  const wrong: readonly [args: string[], what: RegExp][] = [
    [["--wrong"], /^Unknown option '--wrong'$/],
    [["--vs"], /^Option '--vs <value>' argument missing$/],
    [["--smoke=1"], /^Option '--smoke' does not take an argument$/],
    [["--scale", "0"], /^--scale takes a number above 0$/],
    [["--scale", "Infinity"], /^--scale takes a number above 0$/],
    [["--scale", "much"], /^--scale takes a number above 0$/],
    [["--runs", "0"], /^--runs takes a whole number from 1 on$/],
    [["--vs", "HEAD", "--profile"], /^--profile is not for --vs$/],
    [["--vs", "HEAD", "--source"], /^--vs compares builds: not with --source$/],
    [["P1", "P77"], /^no benchmark P77; there are P1, P1B,/],
  ];
  for (const [args, what] of wrong) {
    const read = readArguments(args);
    assert.ok(read.kind === "wrong", args.join(" "));
    assert.match(read.what, what);
  }
});

test("the command tells its usage when asked, and when it was used wrongly, before it builds anything", () => {
  assert.deepEqual(pick(bench("--help", "--runs", "0")), { status: 0, stdout: `${usage}\n`, stderr: "" });
  assert.deepEqual(pick(bench("--vs", "no-such-revision")), {
    status: 2,
    stdout: "",
    stderr: `--vs no-such-revision: there is neither such a checkout nor such a revision\n\n${usage}\n`,
  });
});

function pick({ status, stdout, stderr }: ReturnType<typeof bench>): ReturnType<typeof bench> {
  return { status, stdout, stderr };
}
