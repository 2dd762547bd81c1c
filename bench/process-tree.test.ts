import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { measure } from "./measure.ts";
import { highestPeaks, nameOf } from "./process-tree.ts";

const command = (...parts: string[]): string => parts.map((part) => `${part}\0`).join("");
const first = { main: "script", command: command("/usr/bin/node", "--flag", "/bench/words.ts", "a.txt") };

test("a process is named after what it runs", () => {
  assert.equal(nameOf(command("/usr/bin/node", "--max-old-space-size=192", "/x/src/worker/main.ts"), first), "worker");
  assert.equal(nameOf(command("/usr/bin/node", "/x/dist/worker.js"), first), "worker");
  assert.equal(nameOf(command("/usr/bin/node", "/bench/words.ts", "b.txt"), first), "script, child");
  assert.equal(nameOf(command("/usr/bin/sort", "-S", "512M"), first), "sort");
  assert.equal(nameOf(command("node", "/x/bin/disco.js", "start"), first), "disco.js");
});

test("of several runs the highest peak of each name is kept", () => {
  const peaks = highestPeaks([
    [
      { name: "main", megabytes: 5 },
      { name: "worker", megabytes: 9 },
    ],
    [{ name: "main", megabytes: 7 }],
  ]);
  assert.deepEqual(peaks, [
    { name: "main", megabytes: 7 },
    { name: "worker", megabytes: 9 },
  ]);
});

/** Holds so many megabytes for 0.3 s of processor time, then has a child of its own hold half of them, and says what it did. */
const script = `
  const { execFileSync } = require("node:child_process");
  const megabytes = Number(process.argv[1]);
  const held = Buffer.alloc(megabytes * 1e6, 1);
  while (process.cpuUsage().user < 300_000);
  if (process.argv[2] !== "child") execFileSync(process.execPath, ["-e", process.env.HOLD, String(megabytes / 2), "child"]);
  console.log(JSON.stringify({ held: held.length }));
`;

test("a measured command's report, processor time and the peaks of all its processes come back", async (t) => {
  if (!existsSync("/proc/self/status")) return t.skip("there is no /proc");
  const env = { HOLD: script, NODE_OPTIONS: "" };
  const run = await measure<{ held: number }>([process.execPath, "-e", script, "200"], { env, process: "holder" });
  assert.equal(run.report.held, 200_000_000);
  assert.ok(run.wallSeconds > 0.6 && run.cpuSeconds > 0.6, "both of them count");
  const [holder, child] = run.memory;
  assert.equal(run.memory.length, 2);
  assert.equal(holder?.name, "holder");
  assert.ok((holder?.megabytes ?? 0) > 200 && (child?.megabytes ?? 0) > 100, JSON.stringify(run.memory));
  assert.ok((child?.megabytes ?? 0) < (holder?.megabytes ?? 0));
});

test("a command that fails is an error with what it printed", async () => {
  const fails = [process.execPath, "-e", 'console.log("so far"); console.error("no more"); process.exit(3)'];
  await assert.rejects(measure(fails), /exit code 3:\nso far\n[^]*no more/);
});
