/** Foreign workers that are a few lines of shell: they start in a few milliseconds. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputRef, TaskInput } from "../../core/job/spec.ts";
import { encodeManifest } from "../../protocol/manifest-file.ts";
import type { FromWorker, WorkerTask } from "../../protocol/messages.ts";
import type { JobHome } from "../job-home.ts";
import type { WorkerEnd } from "../verdict.ts";
import type { WorkerEvents, WorkerHandle } from "../worker-handle.ts";
import { ForeignWorker } from "./foreign-worker.ts";
import type { ForeignHome } from "./home.ts";
import type { AttemptLimits } from "./limits.ts";
import { TaskSurroundings } from "./task-surroundings.ts";

/** `say NAME JSON` sends, `ask NAME JSON` waits for the answer, which is `$answer` then; `stop` is for what has none. */
const prelude = `
say() { printf '%s %d %s\\n' "$1" "\${#2}" "$2" >&2; }
ask() { say "$1" "$2"; read -r answer || exit 9; }
stop() { say "$1" "$2"; while read -r answer; do :; done; sleep 60; }
announce() { ask WORKER "{\\"pid\\": $$, \\"version\\": \\"1.1\\"}"; }
`;

const mebibyte = 1_024 * 1_024;
const jobDir = "a/00/job";

export class ShellBench {
  readonly dataDir = mkdtempSync(join(tmpdir(), "disco-foreign-"));
  readonly messages: FromWorker[] = [];
  readonly #hold = setInterval(() => undefined, 1_000);
  readonly #workers: WorkerHandle[] = [];
  #scripts = 0;
  #tasks = 0;
  #news: (() => void) | null = null;
  end: WorkerEnd | null = null;

  constructor() {
    mkdirSync(join(this.home, ".disco"), { recursive: true });
  }

  get home(): string {
    return join(this.dataDir, jobDir);
  }

  /** The home of a job whose worker runs these lines after it has announced itself; `whole`: that are the script. */
  jobHome(lines: string, options: ShellWorkerOptions = {}): JobHome & Required<Pick<JobHome, "startWorker">> {
    const { whole = false, limits, mode = 0o755 } = options;
    const workerFile = join(this.home, `worker-${this.#scripts++}`);
    const script = whole ? lines : `#!/bin/sh\n${prelude}\nannounce\n${lines}\n`;
    if (script !== "") writeFileSync(workerFile, script, { mode });
    const home: ForeignHome = {
      job: "job",
      jobDir,
      packFile: join(this.home, "jobfile"),
      workDir: this.home,
      systemDir: join(this.home, ".disco"),
      hasFiles: true,
      codeKey: null,
      workerFile,
      jobenvs: { GREETING: "hello" },
    };
    const surroundings = new TaskSurroundings({
      home,
      host: "a",
      dataDir: this.dataDir,
      peers: null,
      access: () =>
        Promise.resolve({
          master: "http://127.0.0.1:1",
          discoPort: 1,
          putPort: 1,
          discoData: this.dataDir,
          ddfsData: this.dataDir,
          environment: {},
          addressForWorker: (url) => url.replace(/^far:/, "near:"),
          addressFromWorker: (url) => url.replace(/^near:/, "far:"),
        }),
    });
    return {
      ...home,
      startWorker: (events, memoryLimitBytes) => new ForeignWorker({ surroundings, memoryLimitBytes, limits }, events),
    };
  }

  /** A worker of such a job. */
  worker(lines: string, options: ShellWorkerOptions = {}): WorkerHandle {
    const { memoryLimitBytes = 512 * mebibyte } = options;
    const events: WorkerEvents = {
      ready: () => undefined,
      message: (message) => {
        this.messages.push(message);
        this.#news?.();
      },
      ended: (end) => {
        this.end = end;
        this.#news?.();
      },
    };
    const worker = this.jobHome(lines, options).startWorker(events, memoryLimitBytes);
    this.#workers.push(worker);
    return worker;
  }

  task(input: TaskInput = { kind: "inputs", inputs: [] }, manifestFile?: string): WorkerTask {
    const task = this.#tasks++;
    return {
      job: "job",
      stage: 1,
      task,
      attempt: 0,
      stageName: "map",
      group: { label: 0, host: null },
      input,
      foreign: { worker: "w", grouping: "split", taskId: task + 10 },
      ...(manifestFile === undefined ? {} : { manifestFile }),
    };
  }

  /** Runs a task of a worker made by `worker(lines, options)`, and returns how it ended. */
  async run(
    lines: string,
    options: ShellWorkerOptions & { readonly task?: WorkerTask } = {},
  ): Promise<FromWorker & { kind: "done" | "failed" }> {
    const worker = this.worker(lines, options);
    const before = this.ends.length;
    worker.send({ kind: "tasks", tasks: [options.task ?? this.task()] });
    await this.until(() => this.ends.length > before);
    return this.ends[before] as FromWorker & { kind: "done" | "failed" };
  }

  get ends(): FromWorker[] {
    return this.messages.filter(({ kind }) => kind === "done" || kind === "failed");
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#news = resolve));
  }

  manifest(version: number, refs: readonly OutputRef[], open: boolean): string {
    const file = join(this.home, ".disco", `manifest-0-${version}.json`);
    const outputs = refs.map((ref, task) => ({ task, ref }));
    writeFileSync(file, encodeManifest({ stage: 0, version, outputs, ...(open ? { open: true } : {}) }));
    return file;
  }

  index(ref: OutputRef): string {
    return readFileSync(join(this.dataDir, ref.file), "utf8");
  }

  /** Kills what still runs, and removes the files. */
  async close(): Promise<void> {
    for (const worker of this.#workers) {
      worker.kill(0);
      await this.until(() => worker.state === "ended");
    }
    clearInterval(this.#hold);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export interface ShellWorkerOptions {
  /** The lines are the whole file, and it does not announce itself; an empty one is not there at all. */
  readonly whole?: boolean;
  readonly limits?: Partial<AttemptLimits>;
  readonly memoryLimitBytes?: number;
  readonly mode?: number;
}
