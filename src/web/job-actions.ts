/** Kill, clean and purge. */
import { ask, jobPath } from "./api.ts";
import { confirmed, type Question } from "./confirmation.ts";
import { byId } from "./dom.ts";
import { attempt, tell } from "./notice.ts";

type Action = "kill" | "clean" | "purge";

const questions: Readonly<Record<Action, Question>> = {
  kill: { title: "Kill this job?", text: "What runs of it is stopped at once, and the job is dead.", action: "Kill" },
  clean: {
    title: "Clean this job?",
    text: "Its records are forgotten; its data stays. A job that runs is killed first.",
    action: "Clean",
  },
  purge: {
    title: "Purge this job?",
    text: "Its records and all of its files are deleted, its results as well. A job that runs is killed first.",
    action: "Purge",
  },
};
const done: Readonly<Record<Action, string>> = {
  kill: "The job was killed.",
  clean: "The job's records are forgotten.",
  purge: "The job and its files are deleted.",
};

/** `gone` is called when the master knows the job no longer. */
export function offerActions(job: string, gone: () => void): void {
  for (const action of ["kill", "clean", "purge"] as const) {
    const press = byId(action, HTMLButtonElement);
    press.addEventListener("click", () => void act(job, action, press, gone));
  }
}

async function act(job: string, action: Action, press: HTMLButtonElement, gone: () => void): Promise<void> {
  if (!(await confirmed(questions[action]))) return;
  press.disabled = true;
  const isDone = await attempt(`Cannot ${action} the job`, () => ask(jobPath(job, `/${action}`), { method: "POST" }));
  press.disabled = false;
  if (!isDone) return;
  tell(done[action]);
  if (action !== "kill") gone();
}

export function showActions({ isActive, isKnown }: { readonly isActive: boolean; readonly isKnown: boolean }): void {
  byId("kill", HTMLButtonElement).hidden = !isActive;
  byId("clean", HTMLButtonElement).hidden = !isKnown;
  byId("purge", HTMLButtonElement).hidden = !isKnown;
}
