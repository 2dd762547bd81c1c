/**
 * Bugs on purpose: each takes one safeguard out of the source, and the simulator has to notice. `node sim/bugs.ts NAME [seeds]`
 * runs histories with that bug, prints the first seed that fails, and exits with 0 if there is one.
 *
 * The source itself is changed as it is loaded, so that nothing in the product knows of this.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

export interface Bug {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const bugs: Readonly<Record<string, Bug>> = {
  "no attempt fence": {
    file: "core/job/machine.ts",
    find: "if (stage === undefined || attempt === undefined) return [];",
    replace:
      "if (stage === undefined) return []; if (attempt === undefined) { if (event.kind === 'task-done') stage.outputs.set(event.task, event.output); return []; }",
  },
  "attempt numbers used again": {
    file: "core/job/stage.ts",
    find: "this.#nextAttempt[task] = attempt.attempt + 1;",
    replace: "this.#nextAttempt[task] = attempt.attempt;",
  },
  "losing attempts are not ended": {
    file: "core/job/machine.ts",
    find: 'this.cancelAttempts(stage, task, "another attempt was first");',
    replace: "",
  },
  "consumers of a changed output are left alone": {
    file: "core/job/loss.ts",
    find: "if (affected(group)) restart(job, next, task);",
    replace: "",
  },
  "only consumers that run are restarted": {
    file: "core/job/loss.ts",
    find: "if (state === running || state === done || state === gone) stage.move(task, waiting);",
    replace: "if (state === running) stage.move(task, waiting);",
  },
  "a moved output keeps its version": { file: "core/job/loss.ts", find: "stage.version++;", replace: "" },
  "versions start over when a stage is planned anew": {
    file: "core/job/stage.ts",
    find: "versions: this.version + 1",
    replace: "versions: 0",
  },
  "a lost node keeps its outputs": {
    file: "core/job/node-changes.ts",
    find: "if (stage.state(task) === done && stage.outputs.host(task) === host) loseOutput(stage, task, true);",
    replace: "if (stage.outputs.has(task)) stage.missing.set(task, true);",
  },
  "results are saved while outputs are made again": {
    file: "core/job/machine.ts",
    find: "this.saving = null;\n        return;",
    replace: "return;",
  },
  "a saved output that is gone is made again by nobody": {
    file: "core/job/saving.ts",
    find: "demandOne(stage, task);",
    replace: "",
  },
  "a lost node keeps its attempts": {
    file: "core/job/node-changes.ts",
    find: "loseAttempts(job, host, at, reason, () => true);",
    replace: "",
  },
  "a new disk counts as the old one": {
    file: "core/node-events.ts",
    find: "node.incarnation !== incarnation",
    replace: "false",
  },
  "lost outputs are not made again": {
    file: "core/job/loss.ts",
    find: "if (stage.state(task) === gone && reads(task)) stage.move(task, waiting);",
    replace: "void reads;",
  },
  "lost outputs that were asked for are forgotten": {
    file: "core/job/failing.ts",
    find: "loseOutput(producer, lost.task, false);",
    replace: "",
  },
  "a node that comes back is not asked what it has": {
    file: "core/node-events.ts",
    find: "return reconcile(job, host, at, own);",
    replace: "void own; return [];",
  },
  "commands go out before the journal": {
    file: "journal/ledger.ts",
    find: "const commands = this.#commands;",
    replace: "const commands: Command[] = []; this.#parts.carryOut(this.#commands);",
  },
  "assignments are not journaled": {
    file: "journal/ledger.ts",
    find: "this.#events.push(scheduled.event);",
    replace: "",
  },
  "a snapshot forgets what is missing": {
    file: "core/job/snapshot.ts",
    find: "stage.missing.set(task, mayReturn)",
    replace: "void mayReturn",
  },
  "a snapshot forgets what changed": {
    file: "core/job/snapshot.ts",
    find: "stage.changed.set(task, { labels: new Set(labels), hosts: new Set(hosts) });",
    replace: "void (task, labels, hosts);",
  },
  "a snapshot forgets attempt numbers": {
    file: "core/job/snapshot.ts",
    find: "from.nextAttempts.forEach((next, task) => stage.setNextAttempt(task, next));",
    replace: "",
  },
  "timers are lost with the master": {
    file: "core/timers.ts",
    find: "if (wakeAt > 0) timers.push(",
    replace: "if (wakeAt < 0) timers.push(",
  },
  "a failed second attempt takes the task from the first": {
    file: "core/job/failing.ts",
    find: "if (stage.live.has(task)) return;",
    replace: "",
  },
  "a slow task is started again and again": {
    file: "core/scheduler/stragglers.ts",
    find: "if (attempts.length > 1) extra++;\n    else if (at - since >= slowMs && !stage.startedAgain.has(task))",
    replace: "if (at - since >= slowMs)",
  },
  "restarts of a node are the task's fault": {
    file: "core/job/retry.ts",
    find: 'blame === "restart" ? 0 : delay(blamed - lostAtOnceMax)',
    replace: "delay(trouble.lost - lostAtOnceMax)",
  },
  "tasks are kept for local slots without end": {
    file: "core/scheduler/late-binding.ts",
    find: "stage.heldUntil === 0 || stage.heldUntil > at",
    replace: "stage.heldUntil === stage.heldUntil || at > 0",
  },
  "a hold outlasts the tasks that waited": {
    file: "core/job/stage.ts",
    find: "if (from === waiting && this.count(waiting) === 0) this.heldUntil = 0;",
    replace: "",
  },
  "nobody wakes those who wait for a local slot": {
    file: "core/job/machine.ts",
    find: "if (stage?.heldUntil === until) stage.heldUntil = waitedOut;",
    replace: "void (stage, until);",
  },
  "a node that joins forgets its configuration": {
    file: "core/node-events.ts",
    find: "    cluster.resize(node);\n    node.resized",
    replace: "    node.slots = slots; cluster.refresh(host);\n    node.resized",
  },
  "a node is told its slots once": {
    file: "core/node-events.ts",
    find: "if (present?.resized)",
    replace: "if (present?.resized && present.slots !== slots)",
  },
  "a snapshot forgets the configuration": {
    file: "core/snapshot.ts",
    find: "cluster.config.set(host, slots)",
    replace: "void (host, slots)",
  },
  "lines of the log are counted anew": {
    file: "core/job/snapshot.ts",
    find: "job.out.lines = from.lines ?? 0;",
    replace: "",
  },
  "lines of the log come in the order of memory": {
    file: "core/job/failing.ts",
    find: "[...stage.live].sort(([a], [b]) => a - b)",
    replace: "[...stage.live]",
  },
  "a silent node gets tasks": {
    file: "core/scheduler/cluster.ts",
    find: "!this.#awaited.has(host) && !this.#suspects.has(host) &&",
    replace: "!this.#awaited.has(host) &&",
  },
  "a node that has not joined the new master gets tasks": {
    file: "core/scheduler/cluster.ts",
    find: "!this.#awaited.has(host) && !this.#suspects.has(host) &&",
    replace: "!this.#suspects.has(host) &&",
  },
  "a drained node gets tasks": {
    file: "core/scheduler/cluster.ts",
    find: "return connected && !draining && !this",
    replace: "return connected && (draining || true) && !this",
  },
  "a node in quarantine gets tasks": {
    file: "core/scheduler/cluster.ts",
    find: "!this.blacklist.has(host) && !this.quarantined.has(node);",
    replace: "!this.blacklist.has(host);",
  },
  "nobody is let out when the others go": {
    file: "core/scheduler/quarantine.ts",
    find: "for (const node of [...cluster.quarantined]) letOut(cluster, node);",
    replace: "",
  },
  "a snapshot forgets who is drained": {
    file: "core/snapshot.ts",
    find: "draining = false, health = null } = from;",
    replace: "health = null } = from; const draining = false;",
  },
  "a snapshot forgets who is in quarantine": {
    file: "core/snapshot.ts",
    find: "health: own, load: 0 }",
    replace: "health: own === own ? null : own, load: 0 }",
  },
  "the order of nodes with room is not kept": {
    file: "core/scheduler/room.ts",
    find: "if (before === load) return false;",
    replace: "if (before !== undefined) return false;",
  },
  "those who wait for input keep their slots": {
    file: "core/master.ts",
    find: "round.makeRoom(this.jobs.values());",
    replace: "",
  },
  "what changes under an open stage is forgotten": {
    file: "core/job/loss.ts",
    find: "if (next === undefined) return differs;",
    replace: "if (next === undefined || next.open) return differs;",
  },
  "an open stage is complete when its tasks are": {
    file: "core/job/stage.ts",
    find: "this.count(done) + this.count(gone) === this.tasks && !this.open;",
    replace: "this.count(done) + this.count(gone) === this.tasks;",
  },
  "tasks of an open stage start while their inputs are made again": {
    file: "core/job/machine.ts",
    find: "if (next?.open !== true || !stage.settled) return stage;",
    replace: "if (next?.open !== true) return stage;",
  },
  "a stage that grew forgets its order": {
    file: "core/job/concurrent.ts",
    find: "stage.order = order.every((task, place) => task === place) ? null : order;",
    replace: "",
  },
  "a snapshot forgets that a stage is open": {
    file: "core/job/snapshot.ts",
    find: "stage.open = from.open ?? false;",
    replace: "",
  },
  "an open stage frees slots that it never held": {
    file: "core/job/concurrent.ts",
    find: "awaitsInput ? stage.live.values() : []",
    replace: "awaitsInput || true ? stage.live.values() : []",
  },
  "the epoch stays": {
    file: "journal/ledger.ts",
    find: "epoch: this.machine.cluster.epoch + 1",
    replace: "epoch: Math.max(1, this.machine.cluster.epoch)",
  },
};

/** Loads `bug.file` with the bug in it from now on. */
export function plant(bug: Bug): void {
  const target = new URL(`../src/${bug.file}`, import.meta.url).href;
  const source = readFileSync(fileURLToPath(target), "utf8");
  if (source.split(bug.find).length !== 2) throw new Error(`${bug.file} does not contain, exactly once: ${bug.find}`);
  const broken = stripTypeScriptTypes(source.replace(bug.find, () => bug.replace));
  registerHooks({
    load: (url, context, next) =>
      url === target ? { format: "module", source: broken, shortCircuit: true } : next(url, context),
  });
}

if (import.meta.main) {
  const [, , name = "", seeds = "1000"] = process.argv;
  const bug = bugs[name];
  if (bug === undefined) throw new Error(`there is no bug "${name}"; there are: ${Object.keys(bugs).join(", ")}`);
  plant(bug);
  const { firstFailure } = await import("./run.ts");
  const failure = firstFailure(1, Number(seeds));
  const why = failure?.error instanceof Error ? failure.error.message : String(failure?.error);
  console.log(
    failure === null
      ? `${name}: NOT noticed in ${seeds} histories`
      : `${name}: noticed at seed ${failure.seed}: ${why}`,
  );
  process.exitCode = failure === null ? 1 : 0;
}
