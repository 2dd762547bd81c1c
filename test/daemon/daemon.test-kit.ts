/** A daemon as a process of its own, for tests: on a free port of the loopback, in a root of its own, and killed at any moment. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAtExit } from "../../src/child-process.test-kit.ts";
import { masterFlags } from "../../src/cli/daemon/master-flags.ts";
import type { DaemonRecord } from "../../src/settings/daemon-settings.ts";

export interface DaemonOptions {
  /** Default: a new directory, removed with the daemon. */
  readonly root?: string;
  /** Default: a free one, and the same again after `restart`. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Leaves it to the command to take the memory flags, which takes the time of another start. Default: false. */
  readonly becomesMaster?: boolean;
  /** Further arguments of `disco start --foreground`. */
  readonly args?: readonly string[];
}

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
/** Nothing of this machine's own settings counts. */
const quiet = { DISCO_CONFIG: "none", DISCO_WORKERS: "2", DISCO_TOKEN: "", DISCO_MASTER: "", NODE_OPTIONS: "" };

/** Starts a daemon; resolves when it serves. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const folder = options.root === undefined ? await mkdtemp(join(tmpdir(), "disco-daemon-")) : null;
  const daemon = new TestDaemon(options.root ?? join(folder ?? "", "root"), folder, options);
  await daemon.start();
  return daemon;
}

export class TestDaemon implements AsyncDisposable {
  readonly root: string;
  readonly #folder: string | null;
  readonly #options: DaemonOptions;
  #child: ChildProcess | null = null;
  #port: number;
  #output = "";

  constructor(root: string, folder: string | null, options: DaemonOptions) {
    this.root = root;
    this.#folder = folder;
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** Base URL of its server. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** For `new Disco(…)`. */
  get address(): string {
    return `disco://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    assert.ok(this.#child?.pid !== undefined, "the daemon was started");
    return this.#child.pid;
  }

  /** What it has logged since its last start. */
  get output(): string {
    return this.#output;
  }

  /** What it says of itself in its root. */
  record(): DaemonRecord {
    return JSON.parse(readFileSync(join(this.root, "daemon.json"), "utf8")) as DaemonRecord;
  }

  /** Starts the process, and does not wait until it serves. */
  launch(): ChildProcess {
    assert.equal(this.#child, null, "it does not run already");
    const { args = [], env } = this.#options;
    const flags = this.#options.becomesMaster === true ? [] : masterFlags;
    const child = spawn(
      process.execPath,
      [...flags, command, "start", "--foreground", "--port", String(this.#port), ...args],
      {
        env: { ...process.env, ...quiet, DISCO_ROOT: this.root, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    killAtExit(child);
    this.#output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    child.once("close", () => {
      if (this.#child === child) this.#child = null;
    });
    this.#child = child;
    return child;
  }

  async start(): Promise<void> {
    const child = this.launch();
    const served = /"url":"http:\/\/[^"]*:(\d+)","msg":"serving"/;
    const ended = once(child, "close").then(([code]) => assert.fail(`the daemon ended with ${code}: ${this.#output}`));
    while (!served.test(this.#output)) {
      await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), ended]);
    }
    ended.catch(() => undefined);
    this.#port = Number(served.exec(this.#output)?.[1]);
  }

  /** Ends it without a word; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to end; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return await this.#end("SIGTERM");
  }

  /** Ends it if it runs, and starts it again on the same root and port. */
  async restart(how: "kill" | "stop" = "stop"): Promise<void> {
    await this[how]();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    const closed = once(child, "close");
    child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}
