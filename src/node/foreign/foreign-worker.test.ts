import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { OutputRef } from "../../core/job/spec.ts";
import type { FromWorker } from "../../protocol/messages.ts";
import { ShellBench } from "./shell-worker.test-kit.ts";

/** A few milliseconds, on a machine that is not busy with other tests. */
const killedWithinMs = 3_000;

let bench: ShellBench;
beforeEach(() => (bench = new ShellBench()));
afterEach(() => bench.close());

type End = FromWorker & { kind: "done" | "failed" };

function failureOf(end: End): { code: string; message: string; retry: string } {
  assert.ok(end.kind === "failed", JSON.stringify(end));
  const { code, message, retry } = end.failure;
  return { code, message, retry };
}

function assertFailed(end: End, code: string, message: RegExp, retry = "elsewhere"): void {
  const failure = failureOf(end);
  assert.deepEqual({ code: failure.code, retry: failure.retry }, { code, retry }, failure.message);
  assert.match(failure.message, message);
}

/** Whether it runs: one that is dead and not waited for does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

const printf = (name: string, text: string): string => `printf '%s' '${text}' > '${name}'\n`;

describe("a foreign worker", () => {
  test("is told of its task, writes files into its home, and its output is an index of them", async () => {
    const end = await bench.run(`
ask TASK '""'; printf '%s' "$answer $GREETING $(pwd) $DISCO_ROOT" > seen
ask MSG '"at work"'
${printf("part-0", "abc")}${printf("part-1", "de")}
ask OUTPUT '[1, "part-0", 3]'; ask OUTPUT '[0, "./part-1", 2]'; ask OUTPUT '[1, "near://x/y", 5]'
stop DONE '""'`);
    assert.ok(end.kind === "done", JSON.stringify(end));
    const { ref, labels, index, recordsOut, peakRss } = end.output;
    assert.match(ref.file, /^a\/00\/job\/\.disco\/map-10-0\.[0-9a-f]{8}\.results$/);
    assert.equal(
      bench.index(ref),
      "1 disco://a/disco/a/00/job/part-0 3\n0 disco://a/disco/a/00/job/part-1 2\n1 far://x/y 5\n",
    );
    assert.deepEqual([ref.at, ref.length, ref.host], [0, bench.index(ref).length, "a"]);
    assert.equal(index, `dir://a/disco/${ref.file}`);
    assert.deepEqual(labels, [
      { label: 0, bytes: 2, records: 1 },
      { label: 1, bytes: 8, records: 2 },
    ]);
    assert.equal(recordsOut, 3);
    assert.ok(process.platform !== "linux" || peakRss > 100_000);
    const seen = readFileSync(join(bench.home, "seen"), "utf8");
    assert.match(seen, /^TASK \d+ \{"taskid":10,.*"group":\[0,""\],.*"host":"a"\}/);
    assert.ok(seen.endsWith(` hello ${bench.home} `), seen);
    assert.deepEqual(
      bench.messages.map((message) => (message.kind === "message" ? message.text : message.kind)),
      ["started", "at work", "done"],
    );
  });

  test("may write its messages to stdout as well, and send many before it reads an answer", async () => {
    const pings = `PING 2 ""\n`.repeat(2_000);
    writeFileSync(join(bench.home, "pings"), pings);
    const end = await bench.run(`
exec 3>&1; cat pings >&3
i=0; while [ $i -lt 2000 ]; do read -r answer; [ "$answer" = 'OK 6 "pong"' ] || exit 3; i=$((i+1)); done
stop DONE '""'`);
    assert.equal(end.kind, "done", JSON.stringify(end));
  });

  test("runs its tasks one after the other, each in a process of its own", async () => {
    const worker = bench.worker(`echo $$ >> pids; stop DONE '""'`);
    const tasks = [bench.task(), bench.task(), bench.task()];
    const [, dropped] = tasks;
    assert.ok(dropped !== undefined);
    worker.send({ kind: "tasks", tasks });
    worker.send({ kind: "cancel", id: dropped });
    await bench.until(() => bench.ends.length === 2);
    assert.deepEqual(
      bench.ends.map((end) => end.kind === "done" && end.task),
      [0, 2],
    );
    const pids = readFileSync(join(bench.home, "pids"), "utf8").trim().split("\n");
    assert.equal(new Set(pids).size, 2);
    worker.send({ kind: "exit" });
    await bench.until(() => bench.end !== null);
  });

  test("that writes the same has the same digest, whatever the files are called", async () => {
    const digests: string[] = [];
    for (const [name, text] of [
      ["x", "abc"],
      ["y", "abc"],
      ["z", "abd"],
    ] as const) {
      const end = await bench.run(`${printf(name, text)}ask OUTPUT '[0, "${name}", 3]'; stop DONE '""'`);
      digests.push(end.kind === "done" ? end.output.ref.digest : "failed");
    }
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
  });

  test("whose files have names that are no words has them listed under others", async () => {
    const end = await bench.run(`${printf("two words", "abc")}ask OUTPUT '[0, "two words", 3]'; stop DONE '""'`);
    assert.ok(end.kind === "done", JSON.stringify(end));
    assert.equal(bench.index(end.output.ref), "0 disco://a/disco/a/00/job/.disco/map-10-0.0.data 3\n");
    assert.equal(readFileSync(join(bench.home, ".disco", "map-10-0.0.data"), "utf8"), "abc");
  });

  test("leaves no process behind: the group dies with DONE", async () => {
    const end = await bench.run(`sleep 60 & echo $! > grandchild; (trap '' TERM; sleep 60) & stop DONE '""'`);
    assert.equal(end.kind, "done");
    assert.equal(isRunning(Number(readFileSync(join(bench.home, "grandchild"), "utf8"))), false);
  });

  test("that says too much goes on: what is too much is counted", async () => {
    const message = `MSG 3 "x"\n`.repeat(3_000);
    writeFileSync(join(bench.home, "messages"), message);
    const end = await bench.run(
      `cat messages >&2; i=0; while [ $i -lt 3000 ]; do read -r answer; i=$((i+1)); done; stop DONE '""'`,
    );
    assert.equal(end.kind, "done");
    const texts = bench.messages.flatMap((each) => (each.kind === "message" ? [each.text] : []));
    const dropped = /^(\d+) messages came too fast/.exec(texts.at(-1) ?? "");
    assert.ok(dropped !== null, texts.at(-1));
    assert.ok(texts.length < 1_000);
  });

  test("has long messages cut", async () => {
    writeFileSync(join(bench.home, "message"), `MSG ${20_002} "${"x".repeat(20_000)}"\n`);
    assert.equal((await bench.run(`cat message >&2; read -r answer; stop DONE '""'`)).kind, "done");
    const [text] = bench.messages.flatMap((each) => (each.kind === "message" ? [each.text] : []));
    assert.match(text ?? "", /^x{8192}… \(20000 characters\)$/);
  });
});

describe("the words of a worker", () => {
  test("ERROR has the task tried again, FATAL ends the job, and both say what the worker said", async () => {
    assertFailed(await bench.run(`stop ERROR '"bad node"'`), "worker-error", /^bad node$/);
    assertFailed(await bench.run(`stop FATAL '"bad job"'`), "worker-fatal", /^bad job$/, "never");
  });

  test("count although it exits at once after them", async () => {
    assertFailed(await bench.run(`say ERROR '"bad node"'; exit 1`), "worker-error", /^bad node$/);
  });

  test("that are no message of the protocol end the job", async () => {
    assertFailed(await bench.run(`stop NOSUCH '""'`), "worker-protocol", /Unknown message type 'NOSUCH'/, "never");
    assertFailed(await bench.run(`stop OUTPUT '{"a": 1}'`), "worker-protocol", /OUTPUT.*label/, "never");
    const early = await bench.run(`#!/bin/sh\nprintf 'TASK 2 ""\\n' >&2; sleep 60`, { whole: true });
    assertFailed(early, "worker-protocol", /first message was TASK/, "never");
  });

  test("that are half a frame are waited for, for a while", async () => {
    const end = await bench.run(`printf 'MSG 100 "abc' >&2; sleep 60`, { limits: { messageMs: 40 } });
    assertFailed(end, "worker-timeout", /stuck in the middle of a message.*Last words:\nMSG 100 "abc$/s);
  });

  test("that announce 2^31 bytes are not waited for", async () => {
    const end = await bench.run(`printf 'MSG 2147483648 "abc' >&2; sleep 60`, { limits: { lastWordsMs: 20 } });
    assertFailed(end, "worker-garbage", /at most 104857600 bytes.*MSG 2147483648/s);
  });

  test("that are a traceback are its last, and are read to their end", async () => {
    const end = await bench.run(`echo 'Traceback (most recent' >&2; sleep 0.02; echo '  NameError: x' >&2; exit 1`);
    assertFailed(end, "worker-garbage", /Last words:\nTraceback \(most recent\n {2}NameError: x$/);
  });

  test("after garbage are waited for only so long", async () => {
    const end = await bench.run(`echo garbage >&2; sleep 60`, { limits: { lastWordsMs: 20 } });
    assertFailed(end, "worker-garbage", /Last words:\ngarbage$/);
  });

  test("that are garbage without end are cut off at once", async () => {
    const end = await bench.run(`yes garbage`);
    assertFailed(end, "worker-garbage", /Last words:\ngarbage\n/);
    assert.ok(failureOf(end).message.length < 20_000);
  });

  test("that never come: it is not waited for longer than the time to announce itself", async () => {
    const end = await bench.run("#!/bin/sh\nsleep 60", { whole: true, limits: { announceMs: 40 } });
    assertFailed(end, "worker-timeout", /did not send its PID/);
  });
});

describe("a worker that ends before it is done", () => {
  test("by its own exit", async () => {
    assertFailed(await bench.run("exit 0"), "worker-exit", /exited with code 0 before it was done$/);
    assertFailed(await bench.run(`printf 'MSG 9' >&2; exit 3`), "worker-exit", /code 3.*Last words:\nMSG 9$/s);
  });

  test("by a signal", async () => {
    assertFailed(await bench.run("kill -SEGV $$"), "worker-signal", /ended by SIGSEGV/);
  });

  test("or never begins: each cause has its words", async () => {
    const none = await bench.run("", { whole: true });
    assertFailed(none, "worker-start", /worker-0 does not exist/);
    const interpreter = await bench.run("#!/no/such/interpreter\n", { whole: true });
    assertFailed(interpreter, "worker-start", /interpreter that its first line names does not exist/);
    const executable = await bench.run("#!/bin/sh\n", { whole: true, mode: 0o644 });
    assertFailed(executable, "worker-start", /not executable/);
  });
});

describe("outputs that a worker claims", () => {
  const claim = (path: string, size: number): string => `ask OUTPUT '[0, "${path}", ${size}]'; stop DONE '""'`;

  test("and did not write fail the attempt", async () => {
    assertFailed(await bench.run(claim("nothing", 3)), "bad-output", /did not write: nothing/);
  });

  test("of another size than they have fail the attempt", async () => {
    assertFailed(await bench.run(`${printf("x", "abc")}${claim("x", 4)}`), "bad-output", /x with 4 bytes: it has 3/);
  });

  test("outside of the home, by dots, by a link or by a linked folder, fail the attempt", async () => {
    assertFailed(await bench.run(claim("../other", 1)), "worker-error", /leads out of the job home/);
    assertFailed(await bench.run(claim("/etc/hostname", 1)), "worker-error", /absolute path/);
    writeFileSync(join(bench.dataDir, "secret"), "abc");
    symlinkSync(join(bench.dataDir, "secret"), join(bench.home, "link"));
    symlinkSync(bench.dataDir, join(bench.home, "folder"));
    assertFailed(await bench.run(claim("link", 3)), "bad-output", /link is no regular file, or is reached by a link/);
    assertFailed(await bench.run(claim("folder/secret", 3)), "bad-output", /folder\/secret is no regular file/);
  });

  test("that are folders or pipes fail the attempt", async () => {
    assertFailed(await bench.run(`mkdir d; ${claim("d", 3)}`), "bad-output", /d is a folder/);
    assertFailed(await bench.run(`mkfifo p; ${claim("p", 0)}`), "bad-output", /p is no regular file/);
  });
});

describe("limits of a worker", () => {
  test("one that never reads its answers is not read from, and fails", async () => {
    writeFileSync(join(bench.home, "pings"), `PING 2 ""\n`.repeat(5_000));
    const limits = { unreadBytesMax: 64 * 1_024, unreadMs: 40 };
    const end = await bench.run(`while :; do cat pings; done >&2`, { limits });
    assertFailed(end, "worker-timeout", /did not read its answers/);
  });

  test("memory of the whole group counts", { skip: process.platform !== "linux" && "needs /proc" }, async () => {
    const end = await bench.run(`{ head -c 60000000 /dev/zero; sleep 60; } | tail`, {
      memoryLimitBytes: 30_000_000,
      limits: { memoryMs: 5 },
    });
    assertFailed(end, "out-of-memory", /out of memory, limit 29 MB/);
  });

  for (const [what, lines] of [
    ["floods its node", `while :; do cat messages; done >&2 & while read -r answer; do :; done`],
    ["ignores SIGTERM", `trap '' TERM; ask MSG '"deaf"'; while :; do sleep 1; done`],
    ["is stopped", `say MSG '"stopped"'; kill -STOP $$`],
  ] as const) {
    test(`a worker that ${what} is killed within the grace, with all that it started`, async () => {
      writeFileSync(join(bench.home, "messages"), `MSG 3 "x"\n`.repeat(1_000));
      const worker = bench.worker(`sleep 60 & echo $! > grandchild\n${lines}`);
      worker.send({ kind: "task", task: bench.task() });
      await bench.until(() => bench.messages.some(({ kind }) => kind === "message"));
      const from = performance.now();
      worker.kill(30);
      await bench.until(() => bench.end !== null);
      assert.ok(performance.now() - from < killedWithinMs);
      assert.deepEqual(bench.ends, []);
      assert.equal(isRunning(Number(readFileSync(join(bench.home, "grandchild"), "utf8"))), false);
    });
  }
});

describe("outputs of the stage before", () => {
  const input = { kind: "stage", stage: 0, version: 1 } as const;

  function written(task: number): OutputRef {
    const file = `a/00/job/.disco/map-${task}.results`;
    const text = `0 disco://a/disco/a/00/job/part-${task} 3\n`;
    writeFileSync(join(bench.home, `part-${task}`), "abc");
    writeFileSync(join(bench.dataDir, file), text);
    return { host: "a", file, at: 0, length: text.length, digest: `d${task}` };
  }

  const giveUp = `ask INPUT '""'; ask INPUT_ERR '[0, [0]]'; [ "$answer" = 'FAIL 2 ""' ] && stop ERROR '"cannot read"'`;

  test("that a worker cannot read although they are there are its failure", async () => {
    const task = bench.task(input, bench.manifest(1, [written(0)], false));
    assertFailed(await bench.run(giveUp, { task }), "worker-error", /^cannot read$/);
  });

  for (const [what, lose] of [
    ["index", (ref: OutputRef) => writeFileSync(join(bench.dataDir, ref.file), "")],
    ["file", () => writeFileSync(join(bench.home, "part-0"), "ab")],
  ] as const) {
    test(`whose ${what} is gone are reported as lost, so that they are made again`, async () => {
      const ref = written(0);
      const task = bench.task(input, bench.manifest(1, [ref], false));
      lose(ref);
      const end = await bench.run(giveUp, { task });
      assert.ok(end.kind === "failed");
      assert.deepEqual(end.lost, { stage: 0, task: 0, ref });
      assert.equal(end.failure.code, "input-lost");
    });
  }

  test("that are still being made are waited for, and given as they come", async () => {
    const task = bench.task({ ...input, open: true });
    const worker = bench.worker(`
ask INPUT '""'; echo "$answer" > first
ask INPUT '["exclude", [0]]'; echo "$answer" > second
stop DONE '""'`);
    worker.send({ kind: "task", task });
    await bench.until(() => bench.messages.length === 1);
    const [first, second] = [written(0), written(1)];
    worker.send({ kind: "inputs", ...task, manifestFile: bench.manifest(1, [first], true) });
    while (!existsSync(join(bench.home, "first"))) await new Promise((resolve) => setImmediate(resolve));
    worker.send({ kind: "inputs", ...task, manifestFile: bench.manifest(2, [first, second], false) });
    await bench.until(() => bench.ends.length === 1);
    assert.equal(bench.ends[0]?.kind, "done");
    const said = (name: string): string => readFileSync(join(bench.home, name), "utf8").replace(/^INPUT \d+ /, "");
    const entry = (id: number, { file }: OutputRef): unknown => [id, "ok", "all", [[0, `dir://a/disco/${file}`]]];
    assert.deepEqual(JSON.parse(said("first")), ["more", [entry(0, first)]]);
    assert.deepEqual(JSON.parse(said("second")), ["done", [entry(1, second)]]);
  });
});
