/** A job in the list. */
import type { ListedJob, StageInfo } from "../client/master-api.ts";
import { element, jobLink, setStatus, setText } from "./dom.ts";
import { age, count, duration, moment } from "./format.ts";
import { KeyedList, type Row } from "./keyed-list.ts";
import { masterNow } from "./master-clock.ts";
import { StageBar } from "./stage-bar.ts";

export function jobRow({ name, submittedAt }: ListedJob): Row<ListedJob> {
  const status = element("span");
  const bars = element("div", { class: "stage-bars" });
  const since = element("td", { class: "number", title: moment(submittedAt) });
  const took = element("td", { class: "number" });
  let isDead = false;
  const stages = new KeyedList<StageInfo>(
    bars,
    ({ stage }) => stage,
    ({ stage }) => stageItem(stage, () => isDead),
  );
  const node = element(
    "tr",
    {},
    element("td", { class: "name" }, jobLink(name)),
    element("td", {}, status),
    element("td", { class: "stages" }, bars),
    since,
    took,
  );
  return {
    node,
    update: (job) => {
      isDead = job.status === "dead";
      setStatus(status, job.status);
      stages.show((job.stages ?? []).filter(({ tasks }, i) => tasks > 0 || i === 0));
      setText(since, age(masterNow() - submittedAt));
      setText(took, duration((job.endedAt ?? masterNow()) - submittedAt));
    },
  };
}

function stageItem(name: string, isDead: () => boolean): Row<StageInfo> {
  const bar = new StageBar();
  const numbers = element("span");
  return {
    node: element("span", { class: "stage" }, name, bar.node, numbers),
    update: (stage) => {
      bar.update(stage, isDead());
      setText(numbers, stage.tasks === 0 ? "" : `${count(stage.done)}/${count(stage.tasks)}`);
    },
  };
}
