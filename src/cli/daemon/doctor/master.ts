/** The master that is set: can it be reached, is it one, and does it know our token. */
import { packageVersion } from "../../../package-version.ts";
import { splitMasters } from "../../../protocol/master-list.ts";
import { localMaster } from "../../../settings/addresses.ts";
import type { ResolvedClient } from "../../../settings/client.ts";
import { type Answer, httpGet } from "../http-get.ts";
import { masterReport } from "../master-report.ts";
import { masterUrl } from "../master-url.ts";
import { checkCluster } from "./cluster.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { checkSkew } from "./skew.ts";

/** What the codes of the network mean to who reads them. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: "nobody knows a machine of that name",
  EAI_AGAIN: "the name could not be looked up just now",
  ECONNREFUSED: "the machine is there, and nothing listens on that port",
  ECONNRESET: "whatever listens there hangs up",
  EHOSTUNREACH: "there is no way to that machine",
  ENETUNREACH: "there is no way to that network",
  EPROTO: "what listens there does not speak that protocol (http or https)",
};

export async function checkMaster({ settings, masterFrom, token }: ResolvedClient): Promise<Finding[]> {
  const { master } = settings;
  if (master === null || master === localMaster) return [];
  const findings: Finding[] = [];
  for (const one of splitMasters(master)) findings.push(...(await checkOne(one, masterFrom, token)));
  return findings;
}

async function checkOne(master: string, masterFrom: string | null, token: ResolvedClient["token"]): Promise<Finding[]> {
  const url = masterUrl(master);
  const health = await httpGet(new URL("/healthz", url));
  if (health.kind !== "answer") return [unreachable(`${master} (${masterFrom})`, health)];
  const { instance, version } = (health.body ?? {}) as { readonly instance?: unknown; readonly version?: unknown };
  if (typeof instance !== "string") {
    return [
      fail("master", `${master} (${masterFrom}) answers, and is no Disco master`, "Correct the address, or its port."),
    ];
  }
  const findings = [ok("master", `the master ${master} (${masterFrom}) answers`), ...checkSkew("master-clock", health)];
  if (version !== packageVersion()) {
    const text = `the master is version ${String(version)}, this command ${packageVersion()}`;
    findings.push(warn("master-version", text, "Install the same version on both machines."));
  }
  const report = await masterReport(url, token);
  if (report.kind === "unknown")
    findings.push(fail("master-access", `the master refuses: ${report.why}`, "Set the right token."));
  else findings.push(...checkCluster(report));
  return findings;
}

function unreachable(master: string, answer: Exclude<Answer, { kind: "answer" }>): Finding {
  const why =
    answer.kind === "silent"
      ? "nothing comes back: a firewall, or a machine at its limits"
      : (reasons[answer.code] ?? answer.code);
  const hint =
    "Correct the address, start the master there (`disco start --host …`), or unset it to run jobs on this machine.";
  return fail("master", `the master ${master} cannot be reached: ${why}`, hint);
}
