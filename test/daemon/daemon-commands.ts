/** Commands of the daemon with real processes, as a shell sees them: each test has a root of its own, and leaves nothing running. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach } from "node:test";
import { type Finished, runDisco } from "../run-disco.ts";

/** What the commands print with `--json`. */
export interface Report {
  readonly running: boolean;
  readonly started?: boolean;
  readonly stopped?: boolean;
  readonly pid: number;
  readonly url: string;
  readonly instance: string;
  readonly log: string;
  readonly activeJobs?: number | null;
  readonly problem?: string | null;
  readonly jobs?: { readonly active: number };
  readonly nodes?: readonly { readonly name: string; readonly slots: number }[];
  readonly scheduler?: { readonly policy: string };
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

export interface DaemonCommands {
  /** Of the test that runs. */
  readonly root: string;
  /** Nothing of this machine's own settings counts, and ports are free ones. */
  disco(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  /** The same with `--json`, and the document that it prints. */
  report(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Report & { readonly code: number | null }>;
  /** `daemon.json` of the root. */
  record(): { readonly pid: number; readonly url: string; readonly instance: string };
  /** A directory that is removed at the end. */
  newFolder(): Promise<string>;
}

const quiet = { DISCO_CONFIG: "none", DISCO_PORT: "0", DISCO_WORKERS: "1", DISCO_TOKEN: "", DISCO_MASTER: "" };

/** Called once at the top of a file of tests. */
export function daemonCommands(): DaemonCommands {
  const folders: string[] = [];
  const pids = new Set<number>();
  let root = "";

  const newFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), "disco-daemon-"));
    folders.push(folder);
    return folder;
  };
  beforeEach(async () => {
    root = await newFolder();
  });
  afterEach(() => {
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    pids.clear();
  });
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }))));

  const disco: DaemonCommands["disco"] = async (args, env = {}) => {
    const finished = await runDisco(args, { root, cwd: root, env: { ...quiet, ...env } });
    const pid = /process id (\d+)|"pid": (\d+)/.exec(finished.stdout);
    if (pid !== null && (args[0] === "start" || args[0] === "restart")) pids.add(Number(pid[1] ?? pid[2]));
    return finished;
  };
  return {
    get root() {
      return root;
    },
    disco,
    async report(args, env = {}) {
      const { code, stdout, stderr } = await disco([...args, "--json"], env);
      assert.match(stdout, /^\{/, `${args.join(" ")}: ${stderr}`);
      return { ...(JSON.parse(stdout) as Report), code };
    },
    record: () => JSON.parse(readFileSync(join(root, "daemon.json"), "utf8")) as ReturnType<DaemonCommands["record"]>,
    newFolder,
  };
}
