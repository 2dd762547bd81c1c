/** What the test that kills daemons needs besides: submissions that insist, and a look at processes and files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { jobDirectory, masterHost } from "../../src/node/job-directory.ts";

export interface Acknowledged {
  readonly key: string;
  readonly name: string;
}

/** Between two submissions, and before one is repeated. */
const pauseMs = 200;

/**
 * Submits the pack again and again, each time under a new key, until the signal aborts. A submission without an answer is repeated
 * with its key until there is one. With a `key`: once, under that one.
 */
export async function submitWithKey(
  url: string,
  pack: Uint8Array,
  signal: AbortSignal,
  key?: string,
): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let i = 0; key !== undefined || !signal.aborted; i++) {
    const own = key ?? `key-${i}`;
    acknowledged.push({ key: own, name: await insist(url, pack, own) });
    if (key !== undefined) break;
    await passed(pauseMs);
  }
  return acknowledged;
}

async function insist(url: string, pack: Uint8Array, key: string): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(`${url}/api/v1/jobs`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream", "idempotency-key": key },
        body: Buffer.from(pack),
      });
      if (response.status === 201) return ((await response.json()) as { name: string }).name;
    } catch {
      // Nobody answers, or the answer broke off.
    }
    await passed(pauseMs);
  }
}

/** Absolute path of the job's event log. */
export function eventFileOf(root: string, job: string): string {
  return join(root, "data", jobDirectory(masterHost, job), "events");
}

/** Processes that the process has started; where the system does not tell, none. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether the process ends within the patience. */
export async function isGone(pid: number, patienceMs: number): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await passed(pauseMs)) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
  }
  return false;
}
