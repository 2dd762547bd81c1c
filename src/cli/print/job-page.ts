/** What `disco job NAME` shows: how far each stage is, what runs, why the rest waits, and how the job ended. */
import type { JobInfo, StageInfo, TaskInfo } from "../../client/master-api.ts";
import type { TaskFailure } from "../../errors.ts";
import type { JobStatus } from "../../index.ts";
import { renderBar } from "../progress/bar.ts";
import type { Look, Style } from "../progress/look.ts";
import { formatBytes, formatCount, formatSeconds } from "../progress/quantity.ts";
import { StageMeter } from "../progress/stage-meter.ts";
import { type Cell, type Column, formatColumns } from "./columns.ts";
import { paintFrame } from "./error-report.ts";
import { summarizeJob } from "./job-report.ts";
import { formatAge, localTime } from "./local-time.ts";
import { ownCommand } from "./own-command.ts";

const barColumns = 72;
/** Addresses of results on the page; `disco results` prints all of them. */
const resultsShownMax = 5;

const statusStyles: Readonly<Record<JobStatus, Style>> = { active: "cyan", ready: "green", dead: "red" };

export function statusCell(status: JobStatus): Cell {
  return { text: status, style: statusStyles[status] };
}

/** `tasks`: those that are worth a look, the ones that run or sleep. `columns`: width of the terminal. */
export function formatJobPage(info: JobInfo, tasks: readonly TaskInfo[], columns: number, look: Look): string[] {
  const now = Date.now();
  const age = `${formatAge(now - info.submittedAt)} ago`;
  const lines = [
    `${look.paint("bold", info.name)}  ${look.paint(statusStyles[info.status], info.status)}`,
    `  submitted ${localTime(info.submittedAt)} (${age}) by ${info.owner}`,
    ...(info.worker === undefined ? [] : [`  worker ${info.worker}, which the job brings along`]),
    `  ${info.status === "active" ? `running for ${summarizeJob(info)}` : summarizeJob(info)}`,
    "",
    ...stageLines(info, Math.min(columns, barColumns), look),
  ];
  if (info.waits.length > 0) lines.push("", ...info.waits.map((why) => `  ${look.paint("yellow", "waits:")} ${why}`));
  if (tasks.length > 0) lines.push("", ...taskLines(tasks, columns, look).map((line) => `  ${line}`));
  if (info.status === "active" && info.stages.some(({ failed }) => failed > 0))
    lines.push("", `  ${ownCommand()} events ${info.name}    says why attempts failed`);
  if (info.reason !== null) lines.push("", `  ${look.paint("red", "reason:")} ${info.reason}`);
  if (info.failure !== null) lines.push(...failureLines(info.failure, info.reason, look));
  if (info.results.length > 0) lines.push("", ...resultLines(info));
  return lines;
}

const taskColumns: readonly Column[] = [
  { title: "TASK" },
  { title: "STATUS" },
  { title: "ATTEMPT", align: "right" },
  { title: "NODE" },
  { title: "FOR", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "FAILED", align: "right" },
  { title: "WAITS", shrinks: true },
];

/** A line an attempt, and one for each task that has none. */
export function taskLines(tasks: readonly TaskInfo[], columns: number, look: Look): string[] {
  const now = Date.now();
  return formatColumns(
    taskColumns,
    tasks.flatMap((task) => taskRows(task, now)),
    columns,
    look,
  );
}

function taskRows(task: TaskInfo, now: number): Cell[][] {
  const name = `${task.stage}:${task.task}`;
  const failed = task.failures === 0 ? "" : formatCount(task.failures);
  if (task.attempts.length === 0) {
    const records = task.done === null ? "" : formatCount(task.done.recordsIn);
    return [
      [name, task.status, formatCount(task.attemptsMade), task.done?.host ?? "", "", records, failed, why(task, now)],
    ];
  }
  return task.attempts.map(({ attempt, host, startedAt, speculative, progress }) => [
    name,
    speculative ? "second" : task.status,
    formatCount(attempt + 1),
    host,
    startedAt === null ? "" : formatSeconds(Math.max(0, now - startedAt) / 1000),
    progress === null ? "" : formatCount(progress.recordsIn),
    failed,
    "",
  ]);
}

function why({ waits, wakeAt }: TaskInfo, now: number): string {
  const again = wakeAt === null ? "" : `again in ${formatSeconds(Math.max(0, wakeAt - now) / 1000)}`;
  return [waits ?? "", again].filter((text) => text !== "").join("; ");
}

function stageLines(info: JobInfo, columns: number, look: Look): string[] {
  const { stages } = info;
  const nameWidth = Math.max(0, ...stages.map(({ stage }) => stage.length));
  return stages.flatMap((stage) => {
    const bar = renderBar(new StageMeter().read(stage, 0), nameWidth, columns, look);
    const counts = countsOf(stage, info);
    return counts === "" ? [bar] : [bar, `  ${" ".repeat(nameWidth)}  ${look.paint("dim", counts)}`];
  });
}

function countsOf(stage: StageInfo, { status, worker }: JobInfo): string {
  const { running, queued, waiting, failed, recordsIn, recordsOut, bytesIn } = stage;
  return [
    ...(status === "active" && running > 0 ? [`${formatCount(running)} running`] : []),
    ...(status === "active" && queued > 0 ? [`${formatCount(queued)} queued`] : []),
    ...(status === "active" && waiting > 0 ? [`${formatCount(waiting)} waiting`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed ${failed === 1 ? "attempt" : "attempts"}`] : []),
    ...(bytesIn > 0 ? [`${formatBytes(bytesIn)} read`] : []),
    ...(worker === undefined && (recordsIn > 0 || recordsOut > 0)
      ? [`${formatCount(recordsIn)} records in, ${formatCount(recordsOut)} out`]
      : []),
    ...(worker !== undefined && recordsOut > 0
      ? [`${formatCount(recordsOut)} ${recordsOut === 1 ? "output" : "outputs"}`]
      : []),
  ].join(", ");
}

function failureLines(failure: TaskFailure, reason: string | null, look: Look): string[] {
  const said = `${failure.name}: ${failure.message}`;
  const { location, frame, url, hint } = failure;
  return [
    ...(reason?.includes(failure.message) === true ? [] : [`  ${said}`]),
    ...(location === undefined ? [] : [`    at ${location.file}:${location.line}:${location.column}`]),
    ...(url === undefined ? [] : [`    while reading ${url}`]),
    ...(frame === undefined || frame === ""
      ? []
      : ["", ...frame.split("\n").map((line) => paintFrame(line, look)), ""]),
    ...(hint === undefined ? [] : [`  ${look.paint("cyan", "hint:")} ${hint}`]),
  ];
}

function resultLines({ name, results, worker }: JobInfo): string[] {
  const rest = results.length - resultsShownMax;
  return [
    ...results.slice(0, resultsShownMax).map((url) => `  ${url}`),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more: ${ownCommand()} results ${name}`] : []),
    `  ${ownCommand()} cat ${name}    prints ${worker === undefined ? "the records" : "the outputs as they are"}`,
  ];
}
