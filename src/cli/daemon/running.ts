/**
 * Whether a daemon runs on a root. Its file alone proves nothing: a daemon that was killed leaves it behind, and its process id
 * may be somebody else's by now. Only an answer of `/healthz` with the same `instance` does.
 */
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type DaemonRecord, daemonJournalName, daemonRecordName } from "../../settings/daemon-settings.ts";
import { httpGet } from "./http-get.ts";
import { commandLineOf, isAlive, openFilesOf } from "./process.ts";

export type DaemonState =
  | { readonly kind: "running"; readonly record: DaemonRecord }
  /** Its process is there, and does not answer. */
  | { readonly kind: "silent"; readonly record: DaemonRecord }
  /** A file is left; `why` there is no daemon behind it. */
  | { readonly kind: "stale"; readonly record: DaemonRecord; readonly why: string }
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "none" };

export async function daemonState(root: string): Promise<DaemonState> {
  const record = readRecord(root);
  if (record === null) return { kind: "none" };
  if ("why" in record) return { kind: "unreadable", why: record.why };
  const answer = await httpGet(new URL("/healthz", record.url));
  if (answer.kind === "answer") {
    const { instance } = (answer.body ?? {}) as { readonly instance?: unknown };
    if (instance === record.instance) return { kind: "running", record };
  }
  if (isAlive(record.pid) && isDaemonOf(record.pid, root)) return { kind: "silent", record };
  return { kind: "stale", record, why: whyStale(record, answer.kind) };
}

function whyStale({ pid, url }: DaemonRecord, answer: "answer" | "refused" | "silent"): string {
  if (!isAlive(pid)) return `process ${pid} has ended without cleaning up`;
  const server = answer === "refused" ? `nobody answers at ${url}` : `another program answers at ${url}`;
  return `process ${pid} is another program now, and ${server}`;
}

/** It has the root's journal open; where no system tells that, it was started as daemons are. */
function isDaemonOf(pid: number, root: string): boolean {
  const files = openFilesOf(pid);
  if (files !== null) return files.includes(join(realpathSync(root), daemonJournalName));
  const command = commandLineOf(pid);
  return /\bdisco(?:\.js|-mapreduce)?\b.* start\b.*--foreground/.test(command) && command.includes(root);
}

function readRecord(root: string): DaemonRecord | { readonly why: string } | null {
  const file = join(root, daemonRecordName);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? null : { why: message };
  }
  try {
    const { pid, url, instance, version, startedAt } = JSON.parse(text) as Partial<DaemonRecord>;
    const valid = Number.isSafeInteger(pid) && (pid as number) > 1 && typeof url === "string" && URL.canParse(url);
    if (valid && typeof instance === "string") {
      const known = { version: String(version ?? ""), startedAt: Number(startedAt ?? 0) };
      return { pid: pid as number, url, instance, ...known };
    }
  } catch {
    // Said below.
  }
  return { why: `${file} is not what a daemon writes` };
}
