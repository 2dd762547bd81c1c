/** A daemon for benchmarks that go through HTTP: a process of its own, on a free port, in a root of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface BenchDaemon {
  /** For `new Disco(…)`, and as `DISCO_MASTER`. */
  readonly address: string;
  /** Resident memory now and at its highest, in MB. */
  memory(): { now: number; peak: number };
  stop(): Promise<void>;
}

export async function startDaemon(env: Record<string, string> = {}): Promise<BenchDaemon> {
  const root = mkdtempSync(join(tmpdir(), "disco-bench-"));
  const disco = join(import.meta.dirname, "../bin/disco.js");
  // As `disco start` has it in the background (`src/cli/daemon/background.ts`).
  const flags = ["--max-semi-space-size=8"];
  const child = spawn(process.execPath, [...flags, disco, "start", "--foreground", "--port", "0"], {
    env: { ...process.env, DISCO_CONFIG: "none", DISCO_ROOT: root, DISCO_MASTER: "", DISCO_TOKEN: "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const served = /"url":"http:\/\/[^"]*:(\d+)","msg":"serving"/;
  while (!served.test(output)) {
    const [code] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${String(code)}:\n${output}`);
  }
  return {
    address: `disco://127.0.0.1:${served.exec(output)?.[1]}`,
    memory: () => memoryOf(child.pid ?? 0),
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
  return { now: kilobytes("VmRSS") / 1024, peak: kilobytes("VmHWM") / 1024 };
}
