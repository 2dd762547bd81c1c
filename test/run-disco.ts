/** Runs the `disco` command of this checkout, as a shell would, with a root of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunDiscoOptions {
  readonly root: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called once the process runs, e.g. to send it signals when it has said something. */
  readonly started?: (child: ChildProcess) => void;
  /** What comes through its standard input; `null`: it stays open, for `started`. Nothing where there is none. */
  readonly input?: string | Uint8Array | null;
}

const bin = join(import.meta.dirname, "..", "bin");

export async function runDisco(args: readonly string[], options: RunDiscoOptions): Promise<Finished> {
  return run([join(bin, "disco.js"), ...args], options);
}

export async function runDdfs(args: readonly string[], options: RunDiscoOptions): Promise<Finished> {
  return run([join(bin, "ddfs.js"), ...args], options);
}

/** Runs a script of a user's own, which may say `new Disco()`. `args` are Node's. */
export async function runScript(
  file: string,
  { args = [], ...options }: RunDiscoOptions & { readonly args?: readonly string[] },
): Promise<Finished> {
  return run(["--conditions=disco-source", "--no-warnings", ...args, file], options);
}

async function run(args: readonly string[], options: RunDiscoOptions): Promise<Finished> {
  const { root, cwd, env, started, input } = options;
  const child = spawn(process.execPath, args, {
    cwd: cwd ?? process.cwd(),
    env: { ...process.env, DISCO_ROOT: root, NODE_OPTIONS: "", NO_COLOR: "1", ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  if (input !== null) child.stdin?.end(input);
  assert.ok(child.stdout !== null && child.stderr !== null);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  started?.(child);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
