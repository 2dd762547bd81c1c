/**
 * Entry of a worker process. Forked by a node, it says "ready" before it loads anything else: the node counts on processes
 * that start in milliseconds, and the rest is loaded while it waits for its job.
 */
import { enableCompileCache } from "node:module";
import type { FromWorker, ToWorker } from "../protocol/messages.ts";

const parentPid = process.ppid;
const rehearsalDir = process.argv[2];
const waiting: ToWorker[] = [];
let handle = (message: ToWorker): void => {
  waiting.push(message);
};

if (process.send === undefined) {
  process.stderr.write("disco: the worker is started by a node, not by hand\n");
  process.exit(2);
}

process.on("message", (message: ToWorker) => handle(message));
process.on("disconnect", () => process.exit(0));
process.send({ kind: "ready", pid: process.pid } satisfies FromWorker);

enableCompileCache();
const { WorkerLoop } = await import("./worker-loop.ts");
/** Small messages go out at once, also while a task blocks the event loop. A node that is gone is noticed elsewhere. */
const toNode = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};
let tell = toNode;
const loop = new WorkerLoop(parentPid, (message) => tell(message));
// The node says where a worker may rehearse. One that has a job already does not.
if (waiting.length === 0 && rehearsalDir !== undefined) {
  const { rehearse } = await import("./rehearsal.ts");
  await rehearse(rehearsalDir, {
    handle: (message) => loop.handle(message),
    divert: (listener) => (tell = listener ?? toNode),
    isWanted: () => waiting.length > 0,
  });
}
handle = (message) => loop.handle(message);
for (const message of waiting) handle(message);
