/** `/healthz`: the process answers, and which one it is. `/readyz`: it takes jobs, or why not. Both need no token. */
import type { ServerResponse } from "node:http";
import type { ServedMaster } from "../served-master.ts";
import { sendJson } from "./send.ts";

export interface HealthParts {
  readonly master: ServedMaster;
  readonly instance: string;
  readonly version: string;
  /** Why it is not ready, as far as only whoever composed the daemon knows; `null`: it is. */
  readonly unready?: (() => string | null) | undefined;
  readonly closing: AbortSignal;
}

export function sendHealth(response: ServerResponse, { instance, version }: HealthParts): void {
  sendJson(response, 200, { status: "ok", instance, pid: process.pid, version });
}

export async function sendReadiness(response: ServerResponse, parts: HealthParts): Promise<void> {
  const reason = await unreadyBecause(parts);
  if (reason === null) sendJson(response, 200, { status: "ready" });
  else sendJson(response, 503, { status: "not ready", reason });
}

/** Codes of alarms only: nobody has shown a token. */
async function unreadyBecause({ master, unready, closing }: HealthParts): Promise<string | null> {
  if (closing.aborted) return "stopping";
  const reason = unready?.() ?? null;
  if (reason !== null) return reason;
  try {
    const { readOnly, alarms } = await master.masterInfo();
    if (!readOnly) return null;
    return ["read-only", ...alarms.map(({ code }) => code)].join(", ");
  } catch {
    return "the master does not answer";
  }
}
