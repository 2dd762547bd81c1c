/** The stages of a job, a row each. */
import type { StageInfo } from "../client/master-api.ts";
import { byId, element, setText } from "./dom.ts";
import { bytes, count } from "./format.ts";
import { KeyedList, type Row } from "./keyed-list.ts";
import { StageBar } from "./stage-bar.ts";

/** Said of what is not known. */
const unknown = "–";
let isDead = false;
let hasRecords = true;
const rows = new KeyedList<StageInfo>(byId("stages", HTMLTableSectionElement), ({ stage }) => stage, stageRow);

/** `counted`: its worker counts records. */
export function showStages(
  stages: readonly StageInfo[],
  of: { readonly dead: boolean; readonly counted: boolean },
): void {
  isDead = of.dead;
  hasRecords = of.counted;
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
        ...[waiting, queued, running, done, failed].map(count),
        ...[recordsIn, recordsOut].map((records) => (hasRecords ? count(records) : unknown)),
        hasRecords || stage.bytesIn > 0 ? read : unknown,
      ];
      for (const [i, cell] of numbers.entries()) setText(cell, texts[i] ?? "");
    },
  };
}
