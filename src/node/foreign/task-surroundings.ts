/** What a foreign worker needs besides its task: its program, its environment, what it is told about the cluster, its inputs. */
import { readFile } from "node:fs/promises";
import { DiscoError } from "../../errors.ts";
import { decodeManifest, type FetchedManifest } from "../../protocol/manifest-file.ts";
import type { ForeignTask, WorkerTask } from "../../protocol/messages.ts";
import type { TaskBody } from "../../protocol/worker-protocol/messages.ts";
import { foreignEnvironment } from "./environment.ts";
import type { GatewayAccess } from "./gateway-access.ts";
import type { ForeignHome } from "./home.ts";
import { isOutputLost, type LostOutputsOptions } from "./lost-outputs.ts";
import { nodeMark } from "./orphans.ts";
import type { OutputPlace } from "./outputs.ts";
import type { ProgramCommand } from "./program.ts";
import type { SessionInput, StageOutput } from "./session-inputs.ts";
import { jobInputs, stageInputs } from "./task-inputs.ts";

export interface PreparedTask {
  readonly command: ProgramCommand;
  readonly body: TaskBody;
  readonly inputs: readonly SessionInput[];
  /** No others will come. */
  readonly complete: boolean;
}

export interface TaskSurroundingsOptions extends LostOutputsOptions {
  readonly home: ForeignHome;
  readonly access: () => Promise<GatewayAccess>;
}

export class TaskSurroundings {
  readonly #options: TaskSurroundingsOptions;
  #access: GatewayAccess | null = null;
  /** The manifest that was read last: the tasks of a stage all read the same. */
  #manifest: { readonly file: string; readonly manifest: FetchedManifest } | null = null;

  constructor(options: TaskSurroundingsOptions) {
    this.#options = options;
  }

  /** @throws an error of the file system, or of the gateway */
  async prepare(task: WorkerTask): Promise<PreparedTask> {
    const { home, host } = this.#options;
    const access = (this.#access = await this.#options.access());
    const { taskId, grouping } = foreignOf(task);
    const { group, stageName, input, manifestFile } = task;
    const body: TaskBody = {
      taskid: taskId,
      master: access.master,
      disco_port: access.discoPort,
      put_port: access.putPort,
      ddfs_data: access.ddfsData,
      disco_data: access.discoData,
      stage: stageName,
      grouping,
      group: [group.label ?? 0, group.host ?? ""],
      jobfile: home.packFile,
      jobname: task.job,
      host,
    };
    const command = {
      file: home.workerFile,
      cwd: home.workDir,
      env: { ...foreignEnvironment(process.env, home.jobenvs, access.environment), ...nodeMark(this.#options.dataDir) },
    };
    if (input.kind === "inputs") {
      return { command, body, inputs: jobInputs(input.inputs, (url) => access.addressForWorker(url)), complete: true };
    }
    // Of a stage that grows, inputs come by themselves.
    if (manifestFile === undefined) return { command, body, inputs: [], complete: false };
    return { command, body, ...(await this.stageInputs(task, manifestFile)) };
  }

  /** @throws an error of the file system */
  async stageInputs(
    task: WorkerTask,
    manifestFile: string,
  ): Promise<{ readonly inputs: readonly SessionInput[]; readonly complete: boolean }> {
    const { input } = task;
    const access = this.#access;
    if (input.kind !== "stage" || access === null) return { inputs: [], complete: true };
    const { outputs, open } = await this.#read(manifestFile, input.open === true);
    const { grouping } = foreignOf(task);
    const inputs = stageInputs(outputs, input, grouping, (url) => access.addressForWorker(url));
    // What reads the output of one task has all of it.
    return { inputs, complete: open !== true || (input.task !== undefined && inputs.length > 0) };
  }

  isLost({ ref }: StageOutput): Promise<boolean> {
    return isOutputLost(ref, this.#options);
  }

  place(task: WorkerTask): OutputPlace {
    const { home, host } = this.#options;
    const addressFromWorker = (url: string): string => this.#access?.addressFromWorker(url) ?? url;
    return { home, host, taskId: foreignOf(task).taskId, addressFromWorker };
  }

  /** `grows`: what is in the file may be another manifest than before. */
  async #read(file: string, grows: boolean): Promise<FetchedManifest> {
    if (!grows && this.#manifest?.file === file) return this.#manifest.manifest;
    const manifest = decodeManifest(await readFile(file, "utf8"));
    if (!grows) this.#manifest = { file, manifest };
    return manifest;
  }
}

function foreignOf({ foreign, job }: WorkerTask): ForeignTask {
  if (foreign !== undefined) return foreign;
  throw new DiscoError(`a task of ${job} names no worker`, { code: "no-worker", job });
}
