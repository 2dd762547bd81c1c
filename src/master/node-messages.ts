/**
 * What nodes of a cluster say, checked before it is taken in. A node may be of another make, or in the hands of somebody who has its
 * account at the engine and no more; and an event that the core stumbles over would end this master, and each one after it.
 *
 * A hello that is not as it should be is refused. Of reports, those are left out that name no attempt; an end that cannot be read is
 * an attempt that was lost, so that its task is tried again and nothing waits for it. Nothing but the known properties is taken over.
 */
import { DiscoError } from "../errors.ts";
import {
  attempt,
  type Check,
  failure,
  isLevel,
  isText,
  isTime,
  isWhole,
  list,
  lostOutput,
  maybe,
  output,
  progress,
  shape,
} from "../protocol/message-shapes.ts";
import type { AttemptId, NodeHello, NodeReport } from "../protocol/messages.ts";

/** Workers of one node: more is a mistake, and each costs the scheduler some bytes. */
const slotsMax = 100_000;
const nameLengthMax = 1_000;

const isName: Check = (value) => isText(value) && value !== "" && (value as string).length <= nameLengthMax;
const isLabels: Check = (value) =>
  shape({})(value) && !Array.isArray(value) && Object.values(value as object).every(isText);
const isCount: Check = (value) => isWhole(value) && (value as number) <= slotsMax;
const isWebUrl: Check = (value) => isText(value) && /^https?:$/.test(URL.parse(value as string)?.protocol ?? "");

const isHello = shape({
  host: isName,
  incarnation: isName,
  slots: isCount,
  queueDepth: isCount,
  labels: isLabels,
  attempts: list(shape(attempt)),
  session: maybe(isName),
  url: maybe(isWebUrl),
  version: maybe(isName),
  cluster: maybe(isName),
});
const isAttempt = shape(attempt);

const reports: Readonly<Record<NodeReport["kind"], Check>> = {
  done: shape({ output, ranMs: maybe(isTime) }),
  failed: shape({ failure }),
  began: shape({ agoMs: isTime }),
  "input-lost": shape({ lost: lostOutput, failure }),
  lost: shape({ reason: isText }),
  progress: shape({ progress }),
  message: shape({ level: isLevel, text: isText }),
};

/** `host`: who speaks, as the bus guards it. @throws DiscoError `bad-node` */
export function checkedHello(message: unknown, host: string): NodeHello {
  if (!isHello(message)) {
    throw new DiscoError(`what ${host} says of itself is not as expected`, {
      code: "bad-node",
      node: host,
      hint: "Install the same version of disco-mapreduce on masters and nodes.",
    });
  }
  const hello = message as NodeHello;
  if (hello.host !== host) throw new DiscoError(`${host} says that it is ${hello.host}`, { code: "bad-node" });
  const { incarnation, slots, queueDepth, labels, attempts, session, url, version, cluster } = hello;
  return {
    host,
    incarnation,
    slots,
    queueDepth,
    labels,
    attempts: attempts.map(idOf),
    ...(session === undefined ? {} : { session }),
    ...(url === undefined ? {} : { url }),
    ...(version === undefined ? {} : { version }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** @throws DiscoError `bad-node` when it is no list at all */
export function checkedReports(message: unknown, host: string): NodeReport[] {
  const { reports: all } = (message ?? {}) as { readonly reports?: unknown };
  if (!Array.isArray(all)) throw new DiscoError(`a report of ${host} is no list`, { code: "bad-node", node: host });
  return all.flatMap((report: unknown) => checkedReport(report, host) ?? []);
}

function checkedReport(report: unknown, host: string): NodeReport | null {
  if (!isAttempt(report)) return null;
  const { kind } = report as { readonly kind: unknown };
  const check =
    isText(kind) && Object.hasOwn(reports, kind as string) ? reports[kind as NodeReport["kind"]] : undefined;
  if (check?.(report) === true && liesThere(report as NodeReport, host)) return report as NodeReport;
  if (kind === "began" || kind === "progress" || kind === "message") return null;
  const reason = `what ${host} reports of it cannot be read`;
  return { kind: "lost", ...idOf(report as AttemptId), reason };
}

/** A node answers for what it holds itself, and for nothing else. */
function liesThere(report: NodeReport, host: string): boolean {
  return report.kind !== "done" || report.output.ref.host === host;
}

function idOf({ job, stage, task, attempt: number }: AttemptId): AttemptId {
  return { job, stage, task, attempt: number };
}
