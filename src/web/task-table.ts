/** The tasks of an active job, page by page. A master keeps them until their job ends; what was shown last stays here. */
import type { TaskInfo, TaskPage } from "../client/master-api.ts";
import { ask, jobPath } from "./api.ts";
import { byId, setText } from "./dom.ts";
import { count } from "./format.ts";
import { KeyedList } from "./keyed-list.ts";
import { Live } from "./live.ts";
import { taskRow } from "./task-row.ts";

const refreshMs = 2_000;
const pageTasks = 50;

const stage = byId("task-stage", HTMLSelectElement);
const status = byId("task-status", HTMLSelectElement);
const before = byId("tasks-before", HTMLButtonElement);
const next = byId("tasks-next", HTMLButtonElement);
const shown = byId("tasks-shown", HTMLSpanElement);
const rows = new KeyedList<TaskInfo>(
  byId("tasks", HTMLTableSectionElement),
  (task) => `${task.stage}:${task.task}`,
  taskRow,
);

export class TaskTable {
  readonly #job: string;
  readonly #live: Live;
  #offset = 0;
  #next: number | null = null;
  #isOver = false;

  constructor(job: string) {
    this.#job = job;
    this.#live = new Live({
      source: "tasks",
      round: async ({ signal, alive }) => {
        if (this.#isOver) return null;
        const page = await ask<TaskPage>(jobPath(this.#job, `/tasks?${this.#query()}`), { signal });
        alive();
        if (!signal.aborted && !this.#isOver) this.#show(page);
        return refreshMs;
      },
      // `unknown-job` is said by the page itself.
      refused: () => undefined,
    });
    for (const filter of [stage, status]) filter.addEventListener("input", () => this.#go(0));
    before.addEventListener("click", () => this.#go(Math.max(0, this.#offset - pageTasks)));
    next.addEventListener("click", () => this.#go(this.#next ?? this.#offset));
    byId("task-filter", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  }

  /** Names of the stages, for the filter. */
  stages(names: readonly string[]): void {
    for (const name of names.slice(stage.options.length - 1)) stage.append(new Option(name, name));
  }

  /** The job has ended: nobody knows its tasks any more. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#live.again();
    for (const control of [stage, status, before, next]) control.disabled = true;
    rows.show([]);
    byId("tasks-table", HTMLTableElement).hidden = true;
    setText(shown, "The job has ended: its stages have the sums, its events what became of tasks.");
  }

  #go(offset: number): void {
    this.#offset = offset;
    this.#live.again();
  }

  #query(): string {
    const query = new URLSearchParams({ offset: String(this.#offset), limit: String(pageTasks) });
    if (stage.value !== "") query.set("stage", stage.value);
    if (status.value !== "") query.set("status", status.value);
    return query.toString();
  }

  #show({ tasks, total, next: following }: TaskPage): void {
    this.#next = following;
    rows.show(tasks);
    before.disabled = this.#offset === 0;
    next.disabled = following === null;
    const last = this.#offset + tasks.length;
    setText(
      shown,
      tasks.length === 0 ? `0 of ${count(total)}` : `${count(this.#offset + 1)}–${count(last)} of ${count(total)}`,
    );
  }
}
