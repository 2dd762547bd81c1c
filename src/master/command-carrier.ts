/** Carries out what the core decided, after it is in the journal: tells nodes, writes logs, sets timers, wakes who waits. */
import type { Command, DropFiles, JobEnded, Log, SaveResults } from "../core/commands.ts";
import type { MasterMachine } from "../core/master.ts";
import type { AttemptId } from "../protocol/messages.ts";
import type { Chores } from "./chores.ts";
import type { EventLogs } from "./event-log.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeLink } from "./node-link.ts";
import type { Ending } from "./replayed.ts";
import type { TaskLines } from "./task-lines.ts";
import { logLine } from "./task-lines.ts";
import type { Timers } from "./timers.ts";

export interface CarrierParts {
  readonly nodes: NodeLink;
  readonly logs: EventLogs;
  readonly files: JobFiles;
  readonly signals: JobSignals;
  readonly progress: LiveProgress;
  readonly lines: TaskLines;
  readonly chores: Chores;
  readonly timers: Timers;
  /** The present state. */
  readonly machine: () => MasterMachine;
  /** The node did not take assignments, or took them and could not say so. */
  readonly refused: (host: string, error: unknown) => void;
  readonly save?: (command: SaveResults) => void;
  /** The job is not active any more. */
  readonly over: (job: string) => void;
}

/** Deletions of before, at once, after a start. */
const redoLanes = 4;
/** They are nobody's in particular: no job has this name. */
const redoChores = "";

export class CommandCarrier {
  readonly #parts: CarrierParts;

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  carry(command: Command): void {
    const { nodes, logs, signals, progress, chores, timers, machine } = this.#parts;
    switch (command.kind) {
      case "assign":
        void nodes
          .assign(command.host, machine().cluster.epoch, command.assignments, (one) => this.#isLive(command.host, one))
          .catch((error: unknown) => this.#parts.refused(command.host, error));
        break;
      case "cancel":
        progress.end(command.id);
        nodes.cancel(command.host, [command.id]);
        break;
      case "stop-job":
        for (const host of command.hosts) chores.add(command.job, nodes.stopJob(host, command.job));
        break;
      case "resize-node":
        nodes.resize(command.host, command.slots);
        break;
      case "drop-files":
        chores.add(command.job, this.drop(command));
        break;
      case "set-timer":
        timers.set(command.key, command.at);
        break;
      case "log":
        this.log(command);
        signals.changed(command.job);
        break;
      case "save-results":
        this.#parts.save?.(command);
        break;
      case "job-ended":
        // Workers that stand idle go as well; `stop-job` names only nodes with running attempts.
        chores.add(command.job, this.end(command));
        this.#ended(command.job);
        break;
      case "forget-job":
        signals.ended(command.job);
        chores.add(command.job, logs.forget(command.job));
        break;
    }
  }

  /** Writes the line into the job's log. */
  log(line: Log): void {
    logLine(this.#parts.logs, line);
  }

  /** Does once more what ends of jobs do to files, in the background, until it is to stop. */
  redo(endings: Generator<Ending>, stopped: () => boolean): void {
    const lane = async (): Promise<void> => {
      for (const ending of endings) {
        if (stopped()) return;
        await this.#redoOne(ending);
      }
    };
    for (let i = 0; i < redoLanes; i++) this.#parts.chores.add(redoChores, lane());
  }

  async drop({ job, hosts, scope }: DropFiles): Promise<void> {
    await Promise.all(hosts.map((host) => this.#parts.nodes.dropFiles(host, job, scope)));
  }

  /** Has nodes end the job, each keeping the list of the job's out-of-band values that it holds. */
  async end({ job }: JobEnded): Promise<void> {
    const machine = this.#parts.machine();
    const values = machine.oob(job);
    await Promise.all(
      [...machine.cluster.nodes.keys()].map((host) => {
        const own = values.filter((entry) => entry.host === host).map(({ key, file }) => [key, file] as const);
        return this.#parts.nodes.endJob(host, job, Object.fromEntries(own));
      }),
    );
  }

  async #redoOne(ending: Ending): Promise<void> {
    try {
      if (ending.kind === "job-ended") await this.end(ending);
      else if (ending.kind === "drop-files") await this.drop(ending);
      else await this.#parts.logs.forget(ending.job);
    } catch {
      // The node does not answer, or something is in the way of a deletion: what stays is in nobody's way.
    }
  }

  #isLive(host: string, { job, stage, task, attempt }: AttemptId): boolean {
    return this.#parts.machine().jobs.get(job)?.stages[stage]?.liveAttempt(task, attempt)?.host === host;
  }

  #ended(job: string): void {
    const { logs, signals, progress, lines } = this.#parts;
    logs.end(job);
    progress.endJob(job);
    lines.endJob(job);
    this.#parts.over(job);
    signals.ended(job);
  }
}
