/** A bar for each stage of each job; the bars of a job that has ended become part of what was printed. */
import type { JobInfo } from "../../client/master-api.ts";
import { renderBar } from "./bar.ts";
import type { ProgressDisplay } from "./display.ts";
import type { Look } from "./look.ts";
import { Screen, type TerminalStream } from "./screen.ts";
import { StageMeter } from "./stage-meter.ts";

interface ShownJob {
  info: JobInfo;
  readonly meters: Map<string, StageMeter>;
}

/** More jobs than this at once: only their first lines are shown, or the block would outgrow the terminal. */
const jobsShownMax = 6;

export class BarDisplay implements ProgressDisplay {
  readonly #terminal: TerminalStream;
  readonly #look: Look;
  readonly #jobs = new Map<string, ShownJob>();
  readonly #screen: Screen;
  #closed = false;

  constructor(terminal: TerminalStream, streams: readonly TerminalStream[], look: Look) {
    this.#terminal = terminal;
    this.#look = look;
    this.#screen = new Screen(terminal, streams, (columns) => this.#lines(columns));
  }

  update(info: JobInfo): void {
    if (this.#closed) return;
    const job = this.#jobs.get(info.name);
    if (job === undefined) this.#jobs.set(info.name, { info, meters: new Map() });
    else job.info = info;
    if (info.status === "active") return;
    const last = this.#jobs.get(info.name);
    this.#jobs.delete(info.name);
    // Printed above the block, as anything else that is printed.
    const columns = (this.#terminal.columns ?? 80) - 1;
    if (last !== undefined) this.#terminal.write(`${this.#jobLines(last, columns).join("\n")}\n`);
  }

  close(): void {
    this.#closed = true;
    this.#screen.close();
  }

  #lines(columns: number): string[] {
    const jobs = [...this.#jobs.values()];
    const lines = jobs.slice(0, jobsShownMax).flatMap((job) => this.#jobLines(job, columns));
    if (jobs.length > jobsShownMax) lines.push(`and ${jobs.length - jobsShownMax} more jobs`.slice(0, columns));
    return lines;
  }

  #jobLines({ info, meters }: ShownJob, columns: number): string[] {
    const now = performance.now();
    const nameWidth = Math.max(...info.stages.map((stage) => stage.stage.length), 0);
    const bars = info.stages.map((stage) => {
      const meter = meters.get(stage.stage) ?? new StageMeter();
      meters.set(stage.stage, meter);
      return renderBar(meter.read(stage, now), nameWidth, columns, this.#look);
    });
    return [this.#look.paint("bold", info.name.slice(0, Math.max(0, columns))), ...bars];
  }
}
