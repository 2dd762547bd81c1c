import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { CommError, DataError, DiscoError, JobError } from "./errors.ts";

let folder = "";
let script = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "disco-errors-"));
  script = join(folder, "script.mjs");
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** What Node prints when a program, in a folder of its own, fails with an error that nobody catches. */
function printed(body: string, env: Record<string, string> = {}): string {
  const index = new URL("./index.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { Disco } from ${JSON.stringify(index)};\nconst root = ${JSON.stringify(folder)};\n${body}`,
  );
  const { PATH = "" } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [script], {
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH, HOME: folder, NODE_OPTIONS: "--conditions=disco-source", ...env },
  });
  assert.equal(status, 1, stderr);
  return stderr;
}

const dyingJob = `await using disco = new Disco(undefined, { root, journal: "memory", workers: 1 });
const job = await disco.newJob("dies", { input: ["raw://a"], map: (line) => line.no.such });
await job.wait();
`;
const own = new URL("./", import.meta.url).href;

describe("an error that nobody caught", () => {
  it("shows a job's reason with the lines of the user's source, the line that waited, and nothing of this package", () => {
    const text = printed(dyingJob);
    assert.match(text, /^JobError: job dies@\S+ is dead: .*TypeError: Cannot read properties of undefined/m);
    assert.match(text, /> 4 \| const job = .*line\.no\.such.*\n +\| +\^/);
    assert.ok(text.includes(`at async ${new URL(`file://${script}`).href}:5:1 {\n  code: 'user-error',`), text);
    assert.ok(!text.includes(own), text);
    assert.doesNotMatch(text, /: undefined|failure:/);
  });

  it("shows the hint, and the caller's line behind any number of our own frames", () => {
    const text = printed(`async function start(local) {
  const disco = new Disco(undefined, { root, journal: "memory", workers: 1 });
  await disco.newJob("captures", { input: ["raw://a"], map: (line) => [[line, local]] });
}
await start(1);
`);
    assert.match(text, /^JobError: map captures the local variable `local`/m);
    assert.match(text, /at async start \(\S+script\.mjs:5:\d+\)\n +at async \S+script\.mjs:7:1 \{/);
    assert.match(text, /hint: 'Pass it in `params`/);
    assert.ok(!text.includes(own), text);
  });

  it("says where a sync call was wrong", () => {
    const text = printed(`new Disco("nowhere");\n`);
    assert.match(
      text,
      /^DiscoError: "nowhere" is not the address of a master\n +at \S+script\.mjs:3:1 \{\n {2}code: 'bad-address'/m,
    );
    assert.ok(!text.includes(own), text);
  });

  it("shows all with DISCO_DEBUG=1", () => {
    const text = printed(dyingJob, { DISCO_DEBUG: "1" });
    assert.match(text, /at jobFailure \(file:\S+job-failure\.ts:/);
    assert.match(text, /failure: \{\s+code: 'user-error'/);
  });
});

describe("an error of Disco's", () => {
  it("has the name of its class, and its details by name, known or not", () => {
    const cause = new Error("why");
    const error = new JobError("it died", { code: "job-dead", job: "a@1", cause });
    assert.deepEqual([error.name, error.code, error.retry, error.job], ["JobError", "job-dead", "never", "a@1"]);
    assert.deepEqual([error.hint, error.task, error.failure, error.cause], [undefined, undefined, undefined, cause]);
    assert.deepEqual(Object.keys(error), ["code", "retry", "job"]);
    assert.deepEqual([`${new DataError("x")}`, `${new CommError("")}`], ["DataError: x", "CommError"]);
    assert.deepEqual([new DataError("x").retry, new CommError("x").retry], ["elsewhere", "here"]);
  });

  it("keeps its stack where there is nothing but Disco's own code in it", () => {
    const { stack = "" } = new DiscoError("two\nlines");
    assert.match(stack, /^DiscoError: two\nlines\n +at .*errors\.test\.ts:/);
  });

  it("leaves the program's own limit of stack frames alone", () => {
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = 0;
      assert.equal(new DiscoError("short").stack, "DiscoError: short");
      assert.equal(Error.stackTraceLimit, 0);
    } finally {
      Error.stackTraceLimit = limit;
    }
    assert.match(inspect(new DiscoError("long")), /errors\.test\.ts/);
    assert.equal(Error.stackTraceLimit, limit);
  });
});
