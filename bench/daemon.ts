/** A daemon for benchmarks that go through HTTP: a process of its own, on a free port, in a root of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discoCommand } from "./package-command.ts";

export interface BenchDaemon {
  /** For `new Disco(…)`, and as `DISCO_MASTER`. */
  readonly address: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Resident memory now and at its highest, in MB. */
  memory(): { now: number; peak: number };
  stop(): Promise<void>;
}

/** @param root where its files lie; by default a folder of its own, which is removed with it */
export async function startDaemon(env: Record<string, string> = {}, root?: string): Promise<BenchDaemon> {
  const folder = root ?? mkdtempSync(join(tmpdir(), "disco-bench-"));
  // As `disco start` has it in the background (`src/cli/daemon/master-flags.ts`).
  const flags = ["--max-semi-space-size=8"];
  const child = spawn(process.execPath, [...flags, discoCommand, "start", "--foreground", "--port", "0"], {
    env: { ...process.env, DISCO_CONFIG: "none", DISCO_ROOT: folder, DISCO_MASTER: "", DISCO_TOKEN: "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const served = /"url":"http:\/\/[^"]*:(\d+)","msg":"serving"/;
  while (!served.test(output)) {
    const [code] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${String(code)}:\n${output}`);
  }
  const port = served.exec(output)?.[1];
  return {
    address: `disco://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    memory: () => memoryOf(child.pid ?? 0),
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      if (root === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}
