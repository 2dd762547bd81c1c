/** The stages of a job, a row each. */
import type { StageInfo } from "../client/master-api.ts";
import { byId, element, setText } from "./dom.ts";
import { bytes, count } from "./format.ts";
import { KeyedList, type Row } from "./keyed-list.ts";
import { StageBar } from "./stage-bar.ts";

let isDead = false;
const rows = new KeyedList<StageInfo>(byId("stages", HTMLTableSectionElement), ({ stage }) => stage, stageRow);

export function showStages(stages: readonly StageInfo[], ofDeadJob: boolean): void {
  isDead = ofDeadJob;
  rows.show(stages);
}

function stageRow({ stage: name }: StageInfo): Row<StageInfo> {
  const bar = new StageBar({ wide: true });
  const numbers = Array.from({ length: 9 }, () => element("td", { class: "number" }));
  return {
    node: element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, bar.node), ...numbers),
    update: (stage) => {
      bar.update(stage, isDead);
      const read =
        stage.bytesTotal > 0 ? `${bytes(stage.bytesIn)} of ${bytes(stage.bytesTotal)}` : bytes(stage.bytesIn);
      const { tasks, waiting, queued, running, done, failed, recordsIn, recordsOut } = stage;
      const texts = [
        tasks === 0 ? "?" : count(tasks),
        ...[waiting, queued, running, done, failed, recordsIn, recordsOut].map(count),
        read,
      ];
      for (const [i, cell] of numbers.entries()) setText(cell, texts[i] ?? "");
    },
  };
}
