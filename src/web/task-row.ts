/** A task in the table. */
import type { AttemptInfo, TaskInfo } from "../client/master-api.ts";
import { element, setStatus, setText } from "./dom.ts";
import { count } from "./format.ts";
import type { Row } from "./keyed-list.ts";
import { masterNow } from "./master-clock.ts";
import { attemptText, taskText } from "./task-words.ts";

let hasRecords = true;

/** Whether the job's worker counts records. */
export function countRecords(counted: boolean): void {
  hasRecords = counted;
}

export function taskRow({ stage, task }: TaskInfo): Row<TaskInfo> {
  const status = element("span");
  const words = element("td");
  const numbers = Array.from({ length: 4 }, () => element("td", { class: "number" }));
  const name = element("th", { scope: "row", class: "mono" }, `${stage}:${task}`);
  return {
    node: element("tr", {}, name, element("td", {}, status), words, ...numbers),
    update: (info) => {
      setStatus(status, info.status);
      const now = masterNow();
      setText(
        words,
        [taskText(info, now), ...info.attempts.map((attempt) => attemptText(attempt, now))].filter(Boolean).join("; "),
      );
      const [recordsIn, recordsOut] = records(info);
      const texts = [recordsIn, recordsOut, info.failures, info.lost].map((value) =>
        value === null ? "" : count(value),
      );
      for (const [i, cell] of numbers.entries()) setText(cell, texts[i] ?? "");
    },
  };
}

/** Of the output, or what the attempt that came furthest has reported. */
function records({ done, attempts }: TaskInfo): readonly [number | null, number | null] {
  if (!hasRecords) return [null, null];
  if (done !== null) return [done.recordsIn, done.recordsOut];
  const reports = attempts.flatMap(({ progress }: AttemptInfo) => progress ?? []);
  if (reports.length === 0) return [null, null];
  return [Math.max(...reports.map((one) => one.recordsIn)), Math.max(...reports.map((one) => one.recordsOut))];
}
