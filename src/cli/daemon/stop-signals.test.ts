import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";

/** A process that would stop in good order, and never comes to the end of it. */
const script = `
  const { StopSignals } = await import(${JSON.stringify(new URL("./stop-signals.ts", import.meta.url).href)});
  const signals = new StopSignals();
  setInterval(() => {}, 1e6);
  console.log("ready");
  console.log(await signals.first);
`;

async function started(): Promise<ChildProcess & { readonly lines: string[] }> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")));
  await once(child.stdout, "data");
  return Object.assign(child, { lines });
}

describe("signals to a daemon", () => {
  it("stop it in good order the first time, and at once the second", async () => {
    for (const [signal, status] of [
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const) {
      const child = await started();
      const ended = once(child, "exit");
      child.kill(signal);
      await once(child.stdout as NodeJS.ReadableStream, "data");
      assert.deepEqual(child.lines, ["ready", signal]);
      assert.equal(child.exitCode, null);
      // What comes close behind the first is the same key press.
      const again = setInterval(() => child.kill(signal), 50);
      try {
        assert.deepEqual(await ended, [status, null]);
      } finally {
        clearInterval(again);
      }
    }
  });

  it("mean nothing when a terminal closes that it does not run on", async () => {
    const child = await started();
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    await once(child.stdout as NodeJS.ReadableStream, "data");
    assert.deepEqual(child.lines, ["ready", "SIGTERM"]);
    child.kill("SIGKILL");
    await once(child, "exit");
  });
});
