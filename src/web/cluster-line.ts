/** The line at the top of every page, and the master's alarms. */
import type { Alarm, MasterInfo, NodeInfo } from "../client/master-api.ts";
import { ask } from "./api.ts";
import { clusterSummary } from "./cluster-summary.ts";
import { byId, element, setText } from "./dom.ts";
import { moment } from "./format.ts";
import { KeyedList } from "./keyed-list.ts";
import { Live } from "./live.ts";

const refreshMs = 3_000;

export interface Cluster {
  readonly nodes: readonly NodeInfo[];
  readonly master: MasterInfo;
}

/** Follows the cluster; `show` hears of it as well. */
export function followCluster(show?: (cluster: Cluster) => void): Live {
  const parts = new KeyedList<readonly [key: string, text: string]>(
    byId("cluster", HTMLParagraphElement),
    ([key]) => key,
    () => {
      const node = element("span");
      return { node, update: ([, text]) => setText(node, text) };
    },
  );
  const alarms = new KeyedList<Alarm>(
    byId("alarms", HTMLDivElement),
    ({ code }) => code,
    () => {
      const node = element("p", { class: "alarm" });
      return {
        node,
        update: ({ message, hint, since }) => setText(node, `${message}. ${hint} (since ${moment(since)})`),
      };
    },
  );
  return new Live({
    source: "cluster",
    round: async ({ signal, alive }) => {
      const [{ nodes }, master] = await Promise.all([
        ask<{ nodes: NodeInfo[] }>("/nodes", { signal }),
        ask<MasterInfo>("/master", { signal }),
      ]);
      alive();
      parts.show(clusterSummary(nodes, master).map((text, i) => [String(i), text]));
      alarms.show(master.alarms);
      show?.({ nodes, master });
      return refreshMs;
    },
  });
}
