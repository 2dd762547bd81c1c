/** Commands as a shell runs them, in a folder and with a root of their own: with a daemon on the root, or without. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, runDdfs, runDisco } from "../run-disco.ts";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly started?: (child: ChildProcess) => void;
  readonly input?: string | Uint8Array | null;
}

/** Nothing of this machine's own settings counts. */
const quiet = {
  DISCO_CONFIG: "none",
  DISCO_MASTER: "",
  DISCO_TOKEN: "",
  DISCO_EVENTS: "",
  DISCO_WORKERS: "2",
  DISCO_PORT: "0",
};

/** Commands that are processes of their own, or whose way to start is the point. */
const lonely: ReadonlySet<string> = new Set([
  "",
  "run",
  "start",
  "stop",
  "restart",
  "master",
  "node",
  "cluster",
  "__complete",
]);

export class CommandPlace {
  readonly folder: string;
  readonly root: string;
  #commandProcess: ChildProcess | null = null;
  readonly #crashed = new AbortController();
  /** `disco` has run, and may have left a daemon. */
  #mayHaveDaemon = false;
  /** Commands go to the one process, where they can. */
  readonly #isShared: boolean;
  #isBusy = false;

  private constructor(folder: string, isShared: boolean) {
    this.folder = folder;
    this.#isShared = isShared;
    this.root = join(folder, "root");
  }

  /**
   * @param shared one process runs the commands that start no daemon, whose input and end do not matter: most of a command's time
   *   goes into its start, and a test of what commands say has dozens
   */
  static async open({ shared = false } = {}): Promise<CommandPlace> {
    const folder = await mkdtemp(join(tmpdir(), "disco-command-"));
    const place = new CommandPlace(folder, shared);
    await mkdir(place.root);
    return place;
  }

  disco(args: readonly string[], { env, started }: RunOptions = {}): Promise<Finished> {
    const { root, folder: cwd } = this;
    if (this.#isShared && started === undefined && !this.#isBusy && !lonely.has(args[0] ?? ""))
      return this.look(args, env);
    this.#mayHaveDaemon = true;
    return runDisco(args, { root, cwd, env: { ...quiet, ...env }, ...(started === undefined ? {} : { started }) });
  }

  /** The `ddfs` command. Where its input and its end do not matter, one process runs all of them: most of the time goes into starts. */
  async ddfs(args: readonly string[], { env, ...others }: RunOptions = {}): Promise<Finished> {
    const all = { ...quiet, ...env };
    if (Object.keys(others).length > 0)
      return await runDdfs(args, { root: this.root, cwd: this.folder, env: all, ...others });
    return await this.#inOneProcess("ddfs", args, all);
  }

  /**
   * As `disco`, in the process that runs all commands whose input and end do not matter, and that neither start a daemon nor load a
   * job's module.
   */
  async look(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return await this.#inOneProcess("disco", args, { ...quiet, ...env });
  }

  async #inOneProcess(
    program: "disco" | "ddfs",
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Finished> {
    this.#commandProcess ??= this.#fork();
    this.#isBusy = true;
    const ended = once(this.#commandProcess, "message", this.#crashed) as Promise<[Finished]>;
    const { NODE_OPTIONS: _, ...own } = process.env;
    this.#commandProcess.send({
      program,
      args,
      env: { ...own, DISCO_ROOT: this.root, NO_COLOR: "1", ...env },
      cwd: this.folder,
    });
    const [finished] = await ended;
    this.#isBusy = false;
    return finished;
  }

  #fork(): ChildProcess {
    const child = fork(join(import.meta.dirname, "command-process.ts"), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: ["--conditions=disco-source"],
    });
    return child.once("exit", (code) => this.#crashed.abort(new Error(`it ended with status ${code}`)));
  }

  /** Runs a command that is to go well, and returns its standard output. */
  async out(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.disco(args);
    assert.equal(code, 0, `disco ${args.join(" ")}\n${stderr}${stdout}`);
    return stdout;
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.out(...args, "--json")) as T;
  }

  /** Runs a command that is to be refused. */
  async refused(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.disco(args, options);
    assert.notEqual(finished.code, 0, `disco ${args.join(" ")}\n${finished.stdout}`);
    return finished;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  /** Starts a daemon on the root, and returns its address. */
  async startDaemon(): Promise<string> {
    const { url } = await this.json<{ readonly url: string }>("start");
    return url;
  }

  /** Ends the daemon, if there is one, and deletes everything. */
  async close(): Promise<void> {
    this.#commandProcess?.disconnect();
    if (this.#mayHaveDaemon) await this.disco(["stop", "--force"]);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export const wordCount = `import { task } from "disco-mapreduce";
export default {
  input: ["raw://be not be", "raw://question be"],
  params: { greeting: "hi" },
  partitions: 2,
  map: (line: string) => line.split(" ").map((word) => [word, 1] as const),
  sort: true,
  *reduce(pairs: Iterable<readonly [string, number]>) {
    const counts = new Map<string, number>();
    for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
    task.put("words", String(counts.size));
    yield* counts;
  },
};
`;

export const dies = `export default {
  input: ["raw://a"],
  map(line: string) {
    throw new RangeError("not " + line);
  },
};
`;

/** Runs until it is killed, and says that it does. */
export const endless = `export default {
  input: ["raw://a"],
  map(line: string) {
    console.log("spinning");
    return new Promise<never>(() => setInterval(() => {}, 1000));
  },
};
`;
