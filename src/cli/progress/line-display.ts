/** Plain lines for logs and pipes: when a stage starts, when it ends, and at most one every two seconds in between. */
import type { JobInfo } from "../../client/master-api.ts";
import type { ProgressDisplay } from "./display.ts";
import { formatCount, formatRate, formatRemaining, formatSeconds, isRateWorthShowing } from "./quantity.ts";
import { StageMeter, type StageReading } from "./stage-meter.ts";

const lineIntervalMs = 2000;

interface ShownStage {
  readonly meter: StageMeter;
  state: StageReading["state"];
  shownAt: number;
}

export class LineDisplay implements ProgressDisplay {
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #stages = new Map<string, ShownStage>();
  readonly #started = new Set<string>();
  #closed = false;

  constructor(print: (line: string) => void, now: () => number = () => performance.now()) {
    this.#print = print;
    this.#now = now;
  }

  update(info: JobInfo): void {
    if (this.#closed) return;
    if (!this.#started.has(info.name)) {
      this.#started.add(info.name);
      this.#print(`${info.name}: started`);
    }
    for (const stage of info.stages) {
      const key = `${info.name} ${stage.stage}`;
      const shown = this.#stages.get(key) ?? { meter: new StageMeter(), state: "waiting", shownAt: 0 };
      this.#stages.set(key, shown);
      this.#show(info.name, shown, shown.meter.read(stage, this.#now()));
    }
  }

  close(): void {
    this.#closed = true;
  }

  #show(job: string, shown: ShownStage, stage: StageReading): void {
    const now = this.#now();
    const changed = shown.state !== stage.state;
    if (stage.state === "waiting" || (!changed && (stage.state === "done" || now - shown.shownAt < lineIntervalMs)))
      return;
    shown.state = stage.state;
    shown.shownAt = now;
    this.#print(`${job}: ${stage.name} ${describe(stage, changed)}`);
  }
}

function describe(stage: StageReading, changed: boolean): string {
  const tasks = `${formatCount(stage.tasks)} ${stage.tasks === 1 ? "task" : "tasks"}`;
  if (stage.state === "running" && changed) return `started, ${tasks}`;
  const failed =
    stage.failed > 0 ? [`${formatCount(stage.failed)} failed ${stage.failed === 1 ? "attempt" : "attempts"}`] : [];
  const rate = isRateWorthShowing(stage.bytesPerSecond) ? [formatRate(stage.bytesPerSecond)] : [];
  const time = stage.elapsedSeconds > 0 ? [formatSeconds(stage.elapsedSeconds)] : [];
  if (stage.state === "done") return ["done", tasks, ...time, ...rate, ...failed].join(", ");
  const left = stage.remainingSeconds === null ? [] : [formatRemaining(stage.remainingSeconds)];
  const share = `${Math.floor(stage.fraction * 100)}%`;
  return [share, `${formatCount(stage.done)}/${tasks}`, ...rate, ...left, ...failed].join(", ");
}
