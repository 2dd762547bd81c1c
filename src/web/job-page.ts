/** One job, live from its stages to its end. */
import { type ApiError, follow, jobPath, streamError } from "./api.ts";
import { followCluster } from "./cluster-line.ts";
import { byId, setStatus, setText } from "./dom.ts";
import { followEventLog } from "./event-log.ts";
import { showFailure } from "./failure-view.ts";
import { offerActions, showActions } from "./job-actions.ts";
import { type JobState, showJobFacts } from "./job-facts.ts";
import { Live, StreamCut } from "./live.ts";
import { showStages } from "./stage-rows.ts";
import { countRecords } from "./task-row.ts";
import { TaskTable } from "./task-table.ts";

/** Between two states of a job, at least. */
const intervalMs = 500;
/** Durations go on although nothing else changes. */
const tickMs = 1_000;

const name = new URLSearchParams(location.search).get("name") ?? "";
setText(byId("name", HTMLHeadingElement), name || "Job");
document.title = `${name} · Disco`;
followCluster();
if (name === "") missing("The address names no job: /job.html?name=…");
else followJob();

function followJob(): void {
  const tasks = new TaskTable(name);
  let latest: JobState | null = null;
  let isGone = false;
  const show = (job: JobState): void => {
    latest = job;
    if (isGone) return;
    byId("job", HTMLDivElement).hidden = false;
    const isActive = job.status === "active";
    setStatus(byId("status", HTMLSpanElement), job.status);
    document.title = `${job.status}: ${name} · Disco`;
    showActions({ isActive, isKnown: true });
    showJobFacts(job);
    showFailure(job);
    const counted = job.worker === undefined;
    countRecords(counted);
    showStages(job.stages, { dead: job.status === "dead", counted });
    tasks.stages(job.stages.map(({ stage }) => stage));
    if (!isActive) tasks.over();
  };
  const gone = (): void => {
    isGone = true;
    tasks.over();
    showActions({ isActive: false, isKnown: false });
  };
  new Live({
    source: "progress",
    round: async ({ signal, alive }) => {
      const path = jobPath(name, `/progress?interval=${intervalMs}`);
      for await (const { event, data } of follow(path, { signal, alive })) {
        if (event === "end") return null;
        if (event === "error") throw streamError(data);
        show(JSON.parse(data) as JobState);
      }
      throw new StreamCut();
    },
    refused: (error) => {
      gone();
      // What it was stays readable where it was cleaned under the reader's eyes.
      if (latest === null) missing(reasonOf(error));
    },
  });
  followEventLog(name);
  offerActions(name, gone);
  setInterval(() => {
    if (latest?.status === "active" && !document.body.classList.contains("away")) show(latest);
  }, tickMs);
}

function reasonOf({ status, message, hint }: ApiError): string {
  return status === 404
    ? `${message}. The list of jobs has all that are known.`
    : [message, hint].filter(Boolean).join(". ");
}

function missing(text: string): void {
  const line = byId("missing", HTMLParagraphElement);
  line.hidden = false;
  setText(line, text);
}
