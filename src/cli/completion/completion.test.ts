/** Completion without a shell; `test/cli/completion.test.ts` has the shells. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { buildDdfsProgram } from "../ddfs/program.ts";
import { buildProgram } from "../program.ts";
import { candidatesAt, type NameSources } from "./candidates.ts";
import { formatCompletion } from "./complete.ts";
import { placeOf } from "./place.ts";

const named = (...values: string[]) => values.map((value) => ({ value, description: "" }));
const names: NameSources = {
  jobs: async (beginning) =>
    named("wc@1:2:3", "wc@1:2:4", "sort@1:2:5").filter(({ value }) => value.startsWith(beginning)),
  nodes: async () => named("node1", "node2"),
  oobKeys: async (job) => named(`${job}-key`),
  tags: async () => named("data:1", "data:2", "other"),
};

/** The last word is being typed. */
async function complete(...words: string[]): Promise<string[]> {
  return await offered(buildProgram(), words);
}

async function offered(program: Command, words: readonly string[]): Promise<string[]> {
  const completion = await candidatesAt(placeOf(program, words), names);
  return formatCompletion(completion)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t")[0] ?? "");
}

test("commands are completed, and those inside of a command", async () => {
  assert.deepEqual(await complete("jo"), ["jobs", "job", "jobdict", "jobpack"]);
  assert.deepEqual(await complete("oob", ""), ["list", "get", "help"]);
  assert.deepEqual(await complete("help", "subm"), ["submit", "submit-pack"]);
  assert.ok(!(await complete("")).some((word) => word.startsWith("_")), "hidden commands stay hidden");
});

test("options are those of the command, and their values those that the parser takes", async () => {
  assert.deepEqual(await complete("jobs", "--sta"), ["--status"]);
  assert.deepEqual(await complete("jobs", "--status", ""), ["active", "ready", "dead"]);
  assert.deepEqual(await complete("jobs", "--status=r"), ["--status=ready"]);
  assert.deepEqual(await complete("cat", "--format", "js"), ["jsonl"]);
  assert.deepEqual(await complete("cat", "wc@1:2:3", "--he"), ["--head", "--help"]);
  assert.deepEqual(await complete("jobs", "--master", "lo"), ["local"]);
  assert.deepEqual(await complete("jobs", "--limit", ""), [], "any number");
});

test("names of jobs, nodes and keys stand where commands take them, and none twice", async () => {
  assert.deepEqual(await complete("cat", "w"), ["wc@1:2:3", "wc@1:2:4"]);
  assert.deepEqual(await complete("kill", "wc@1:2:3", "wc"), ["wc@1:2:4"]);
  assert.deepEqual(
    await complete("job", "--limit", "5", "so"),
    ["sort@1:2:5"],
    "the value of an option is no argument",
  );
  assert.deepEqual(await complete("job", "sort@1:2:5", ""), [], "the command takes one");
  assert.deepEqual(await complete("blacklist", "node1", ""), ["node2"]);
  assert.deepEqual(await complete("nodes", "set", "node2"), ["node2="]);
  assert.deepEqual(await complete("oob", "get", "wc@1:2:3", ""), ["wc@1:2:3-key"]);
  assert.deepEqual(await complete("cat", "--", "so"), ["sort@1:2:5"]);
});

test("files stand where commands take them: modules for a job, any for its inputs and for options", async () => {
  assert.deepEqual(await complete("run", ""), [":files ts mts js mjs"]);
  assert.deepEqual(await complete("run", "job.ts", "da"), [":files"]);
  assert.deepEqual(await complete("run", "--output", ""), [":files"]);
  assert.deepEqual(await complete("jobs", "--root", "/t"), [":files"]);
  assert.deepEqual(await complete("submit-pack", ""), [":files"]);
  assert.deepEqual(await complete("jobpack", "inspect", ""), [":files"]);
  assert.deepEqual(await complete("completion", "f"), ["fish"]);
});

test("the flags before the cursor say whose names are wanted", () => {
  const { given } = placeOf(buildProgram(), ["cat", "--master=disco://x", "--root", "/y", ""]);
  assert.deepEqual(given, { master: "disco://x", root: "/y" });
});

test("tags are completed where ddfs takes some, those that stand there already left out", async () => {
  const ddfs = (...words: string[]) => offered(buildDdfsProgram(), words);
  assert.deepEqual(await ddfs("un"), ["untag"]);
  assert.deepEqual(await ddfs("gc", "st"), ["start", "status", "stats"]);
  assert.deepEqual(await ddfs("stat", "d"), ["data:1", "data:2"]);
  assert.deepEqual(await ddfs("rm", "data:1", "other", ""), ["data:2"]);
  assert.deepEqual(await ddfs("cp", "data:1", ""), ["data:2", "other"]);
});
