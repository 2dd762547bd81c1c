/** The masters that commands go to where none of this root runs (`DISCO_MASTER`), and how they are. */
import { splitMasters } from "../../protocol/master-list.ts";
import { localMaster } from "../../settings/addresses.ts";
import type { ResolvedClient } from "../../settings/client.ts";
import { type MasterReport, masterReport } from "./master-report.ts";
import { masterUrl } from "./master-url.ts";
import { details } from "./output.ts";
import { rowsOfReport } from "./report-rows.ts";

export interface SetMaster {
  /** As it is set: `disco://host:port`. */
  readonly address: string;
  readonly report: MasterReport;
}

/** None where none is set, or this process is to be it. */
export async function setMasters({ settings: { master }, token }: ResolvedClient): Promise<readonly SetMaster[]> {
  if (master === null || master === localMaster) return [];
  return await Promise.all(
    splitMasters(master).map(async (address) => ({ address, report: await masterReport(masterUrl(address), token) })),
  );
}

export function documentOfMasters(masters: readonly SetMaster[]): Readonly<Record<string, unknown>> {
  if (masters.length === 0) return {};
  return {
    masters: masters.map(({ address, report }) =>
      report.kind === "unknown"
        ? { address, problem: report.why }
        : { address, problem: null, ...report.info, nodes: report.nodes },
    ),
  };
}

/** All of the first one that answers, as all of a cluster tell the same; of the others what they are. */
export function linesOfMasters(masters: readonly SetMaster[], masterFrom: string | null): string[] {
  const shown = masters.find(({ report }) => report.kind === "answer");
  return masters.flatMap((master) => {
    const { address, report } = master;
    const name = `The master ${address} (${masterFrom})`;
    if (report.kind === "unknown") return [`${name} does not say how it is: ${report.why}.`];
    const { rows, alarms } = rowsOfReport(report);
    if (master === shown) return [`${name} runs.`, ...details(rows), ...alarms];
    const does = report.info.role === undefined || report.info.role === "leads" ? "leads" : "follows";
    return [`${name} ${does}.`];
  });
}
