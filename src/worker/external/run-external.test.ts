/**
 * Programs that do what programs should not, each a few lines of shell: what the task says then, and that nothing of them is left.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import type { DiscoError } from "../../errors.ts";
import type { ExternalPlan } from "../../protocol/job-data.ts";
import { fails, type JobBench, withJob } from "../fixtures/job-bench.ts";
import { externalStandIn } from "./stand-in.ts";

const plan: ExternalPlan = { program: "op", params: Buffer.from("0\n"), keys: "text", values: "text" };
/** Much less than the children sleep. */
const goneMs = 20_000;
const takeAll = "cat >/dev/null\n";
/** As printf of a shell writes it. */
const number = (n: number): string =>
  [n, n >> 8, n >> 16, n >> 24].map((byte) => `\\${(byte & 255).toString(8).padStart(3, "0")}`).join("");
const pair = (key: string, value: string): string => `${number(key.length)}${key}${number(value.length)}${value}`;
const list = (...pairs: [string, string][]): string =>
  `printf '${number(pairs.length)}${pairs.map(([key, value]) => pair(key, value)).join("")}'\n`;

interface ProgramOptions {
  readonly kind?: "map" | "reduce";
  readonly inputs?: readonly string[];
  readonly firstLine?: string;
  readonly memoryLimitBytes?: number;
}

/** Runs a task of such a program over lines, by default one. */
async function runs<T>(
  script: string,
  use: (bench: JobBench, run: () => Promise<unknown>) => Promise<T>,
  { kind = "map", inputs = ["raw://one line"], firstLine = "#!/bin/sh", memoryLimitBytes }: ProgramOptions = {},
): Promise<void> {
  const stage = {
    kind,
    fn: externalStandIn,
    external: plan,
    ...(kind === "reduce" ? { inputStream: [pairsOfLines] } : {}),
  };
  await withJob({ stages: [stage], ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }) }, async (bench) => {
    writeFileSync(join(bench.dataDir, "op"), `${firstLine}\n${script}`, { mode: 0o755 });
    await use(bench, () => bench.run({ inputs }));
  });
}

function* pairsOfLines(chunks: Iterable<Uint8Array>): Generator<[string, string]> {
  for (const line of Buffer.concat([...chunks])
    .toString()
    .split("\n"))
    yield ["", line];
}

function refused(script: string, code: string, message: RegExp, options?: ProgramOptions): Promise<void> {
  return runs(script, (_bench, run) => assert.rejects(run(), fails(code, message)), options);
}

/** More than a pipe takes. */
const muchInput = { inputs: [`raw://${"a line of some characters\n".repeat(40_000)}`] };

describe("an external program", { concurrency: 4 }, () => {
  it("gives the pairs that it writes, of a map and of a reduce", async () => {
    for (const kind of ["map", "reduce"] as const) {
      const script = `cat >in-$1\n${list(["k", "v"], ["", ""])}`;
      await runs(
        script,
        async (bench, run) => {
          await run();
          assert.deepEqual(bench.results(0), [
            ["k", "v"],
            ["", ""],
          ]);
          const read = readFileSync(join(bench.dataDir, `in-${kind}`), "latin1");
          assert.equal(read, "0\n\0\0\0\0\x08\0\0\0one line");
        },
        { kind },
      );
    }
  });

  it("of a reduce may write nothing, and several lists", async () => {
    await runs(
      takeAll,
      async (bench, run) => {
        await run();
        assert.deepEqual(bench.results(0), []);
      },
      { kind: "reduce" },
    );
    const script = `${takeAll}${list(["a", "1"])}${list()}${list(["b", "2"])}`;
    await runs(
      script,
      async (bench, run) => {
        await run();
        assert.deepEqual(bench.results(0), [
          ["a", "1"],
          ["b", "2"],
        ]);
      },
      { kind: "reduce" },
    );
  });

  it("without a record gets the end of the input, and may say nothing", async () => {
    await runs(
      takeAll,
      async (bench, run) => {
        await run();
        assert.deepEqual(bench.results(0), []);
      },
      { inputs: ["raw://"] },
    );
  });

  it("that exits with a code is an error with its last words", () =>
    refused(
      "echo first >&2; echo 'no such table' >&2; exit 3",
      "external-exit",
      /^map \(op\): the external program exited with code 3; its last words:\nfirst\nno such table$/,
    ));

  it("that exits with a code after it has answered everything has failed all the same", () =>
    refused(`${takeAll}${list()}exit 4`, "external-exit", /exited with code 4 after 1 result list$/));

  it("that crashes is an error with the signal", () =>
    refused("kill -SEGV $$", "external-signal", /^map \(op\): the external program was ended by SIGSEGV/));

  it("that exits early, in good order, is an error", async () => {
    await refused("exit 0", "external-exit", /exited before it had read all its input/, muchInput);
    await refused("head -c 5 >/dev/null", "external-exit", /before it had read all/, { kind: "reduce", ...muchInput });
    await refused(takeAll, "external-protocol", /exited after 0 result lists for 1 entry$/);
    await refused(`${takeAll}${list()}`, "external-protocol", /after 1 result list for 40,000 entries/, muchInput);
  });

  it("that writes half a pair is an error that says how much came", async () => {
    const half = `${takeAll}printf '${number(2)}${pair("a", "b")}${number(5)}ab'\n`;
    const message = /exited in the middle of a list: 2 pairs were announced, 1 came and 6 bytes of the next/;
    await refused(half, "external-protocol", message);
    await refused(half, "external-protocol", message, { kind: "reduce" });
    await refused(
      `${takeAll}printf '\\001\\000'`,
      "external-protocol",
      /in the middle of the number that begins a list/,
    );
  });

  it("that writes back what it reads is told how its input begins", async () => {
    const copied = { code: "external-protocol", hint: /^It reads records as if they were lines of text/ };
    await runs("cat", (_bench, run) => assert.rejects(run(), { ...copied, message: /exited in the middle of a list/ }));
    const upper = `${takeAll}printf '0\\n\\n\\000AAAA'`;
    const message = /wrote what it read where a result list was expected$/;
    await runs(upper, (_bench, run) => assert.rejects(run(), { ...copied, message }));
  });

  it("that opens /dev/stderr is told what to write to", () =>
    runs(`${takeAll}echo hello >/dev/stderr || exit 2`, (_bench, run) =>
      assert.rejects(run(), { code: "external-exit", hint: /write to descriptor 2/ }),
    ));

  it("that announces 2 million pairs is an error", () =>
    refused(
      `${takeAll}printf '${number(2_000_000)}'; sleep 60`,
      "external-protocol",
      /list of 2,000,000 pairs; 1,000,000 are/,
    ));

  it("that prints is an error that shows what", () =>
    refused(`${takeAll}echo hello, world`, "external-protocol", /wrote 'hello, world\\n' where the number of pairs/));

  it("that writes more lists than it got entries is an error", async () => {
    const script = `${takeAll}${list()}${list()}`;
    await refused(
      script,
      "external-protocol",
      /^map \(op\): the external program wrote more result lists than it got entries \(1 entry\)$/,
    );
  });

  it("that closes its input and goes on is an error", () =>
    refused(
      "exec 0<&-; exec sleep 60",
      "external-protocol",
      /closed its input before it had read all of it/,
      muchInput,
    ));

  it("that closes its output and goes on is an error of a map", async () => {
    await refused(
      `exec 1>&-; ${takeAll}exec sleep 60`,
      "external-protocol",
      /closed its output before it had answered all/,
    );
    await runs(
      `${list(["a", "1"])}exec 1>&-; ${takeAll}`,
      async (bench, run) => {
        await run();
        assert.deepEqual(bench.results(0), [["a", "1"]]);
      },
      { kind: "reduce" },
    );
  });

  it("of a map that has answered everything and does not exit is killed, and its task is good", () =>
    runs(`${takeAll}${list(["a", "1"])}echo $$ >pid; exec sleep 60`, async (bench, run) => {
      await run();
      assert.deepEqual(bench.results(0), [["a", "1"]]);
      await assertGone(bench, "pid");
    }));

  it("that cannot be started is an error with the reason", () =>
    refused("", "external-start", /^map \(op\): the external program cannot be started: .*ENOENT/, {
      firstLine: "#!/no/such/shell",
    }));

  it("leaves no process behind, be it in a session of its own", async () => {
    const children =
      "sleep 60 & echo $! >pid\nsetsid sh -c 'echo $$ >pid2; exec sleep 60' &\nwhile ! [ -s pid2 ]; do :; done\n";
    await runs(`${children}${takeAll}${list(["a", "1"])}`, async (bench, run) => {
      await run();
      assert.deepEqual(bench.results(0), [["a", "1"]]);
      await assertGone(bench, "pid", "pid2");
    });
    await runs(`${children}exit 1`, async (bench, run) => {
      await assert.rejects(run(), fails("external-exit", /code 1/));
      await assertGone(bench, "pid", "pid2");
    });
  });

  it("that takes more memory than the job may is killed", () =>
    refused(
      "exec dd if=/dev/zero of=/dev/null bs=200M 2>/dev/null",
      "out-of-memory",
      /takes \d+ MB of memory, the limit is 128 MB/,
      {
        memoryLimitBytes: 128 * 1024 * 1024,
      },
    ));

  it("ends its job by **<ERR>, and its attempt by **<DAT>", async () => {
    const retry = (policy: string) => (error: DiscoError) => error.retry === policy;
    await runs("echo '**<ERR> no table' >&2; exec sleep 60", async (_bench, run) => {
      const error = await rejection(run());
      assert.equal(error.message, "map (op): no table");
      assert.ok(fails("external-error", /./)(error) && retry("never")(error));
    });
    await runs("printf '**<DAT>bad line\\n' >&2; exit 1", async (_bench, run) => {
      const error = await rejection(run());
      assert.equal(error.message, "map (op): bad line");
      assert.ok(fails("external-data", /./)(error) && retry("elsewhere")(error));
    });
  });

  it("is gone when its input fails, whose error is the task's", async () => {
    const mapReader = function* () {
      yield "one";
      throw new Error("the disk is on fire");
    };
    const stages = [{ kind: "map", fn: externalStandIn, external: plan, inputStream: [mapReader] }] as const;
    await withJob({ stages }, async (bench) => {
      const script = "#!/bin/sh\necho $$ >pid\nexec cat >/dev/null\n";
      writeFileSync(join(bench.dataDir, "op"), script, { mode: 0o755 });
      await assert.rejects(bench.run({ inputs: ["raw://x"] }), /^Error: the disk is on fire$/);
      if (existsSync(join(bench.dataDir, "pid"))) await assertGone(bench, "pid");
    });
  });

  it("reads no record that has no form for it", () =>
    withJob(
      {
        stages: [
          { kind: "map", fn: (line: string) => [[line, { a: 1 }]] },
          { kind: "reduce", fn: externalStandIn, external: plan },
        ],
      },
      async (bench) => {
        writeFileSync(join(bench.dataDir, "op"), `#!/bin/sh\n${takeAll}`, { mode: 0o755 });
        await bench.run({ inputs: ["raw://x"] });
        const message = /value of the key 'x' is \{ a: 1 \}/;
        await assert.rejects(bench.run({ stage: 1, label: 0 }), fails("bad-record", message));
      },
    ));
});

async function rejection(run: Promise<unknown>): Promise<DiscoError> {
  return run.then(
    () => assert.fail("it did not fail"),
    (error: DiscoError) => error,
  );
}

/** Processes whose ids lie in these files are gone, or dead and waiting for their parent. */
/** What was killed may need a moment until it is gone. */
async function assertGone(bench: JobBench, ...files: string[]): Promise<void> {
  for (const file of files) {
    const pid = readFileSync(join(bench.dataDir, file), "utf8").trim();
    const until = performance.now() + goneMs;
    for (let state = stateOf(pid); !/^[ZX-]$/.test(state); state = stateOf(pid)) {
      assert.ok(performance.now() < until, `process ${pid} of ${file} lives: ${state}`);
      await passed(5);
    }
  }
}

/** As the kernel has it; `-`: there is no such process any more. */
function stateOf(pid: string): string {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "?";
  } catch {
    return "-";
  }
}
