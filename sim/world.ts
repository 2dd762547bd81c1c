/**
 * The whole system in one thread and without a clock: the real deciding core, ledger and journal, between fake nodes, a
 * fake network and fake time. One seed is one history.
 *
 * Fault model, while faults are on (`faultsMs`):
 * - messages between master and nodes are delayed (so they overtake each other), doubled and dropped;
 * - a worker dies (reported as lost, or as a signal), a task fails in passing, or always (poison);
 * - a node dies with or without its disk, is cut off while it goes on working, is declared lost although it is well, and
 *   comes back;
 * - a node is paused, and finds what was sent to it when it goes on; it does not hear, or is not heard, for a while;
 * - an operator drains a node, or trusts it again;
 * - an output vanishes from a disk;
 * - the master dies at any moment, also before and after each append to the journal, its clock jumps, and another one
 *   starts from the journal; it may take a snapshot at any moment;
 * - master and nodes die together, as a daemon does, and start again with their disks;
 * - a task hangs, so that the scheduler starts it a second time; it also does so at random;
 * - an operator changes the slots of nodes, to none as well;
 * - results that are saved in DDFS are gone, their node is silent, the master dies between the tag and the end of the job;
 * - tasks that write something else each time (`fickle` jobs); a user kills a job.
 * Not here: a journal that loses or changes what it committed (`journal/contract.ts`), disks that return wrong bytes (the
 * workers' checksums).
 *
 * Then the faults stop, and all jobs have to end (liveness). `checks.ts` says what must hold after each step.
 */
import type { Command } from "../src/core/commands.ts";
import type { MasterEvent } from "../src/core/events.ts";
import { unsaved } from "../src/core/job/saving.ts";
import type { ManifestMark, OutputRef, StageManifest } from "../src/core/job/spec.ts";
import { Ledger } from "../src/journal/ledger.ts";
import { openMemoryJournal } from "../src/journal/memory.ts";
import type { Assignment, AttemptId } from "../src/protocol/messages.ts";
import { Agenda } from "./agenda.ts";
import { Checks } from "./checks.ts";
import { Crash, CrashingStore } from "./crashing-store.ts";
import type { Contents, FakeJob } from "./fake-job.ts";
import { randomJob } from "./fake-job.ts";
import type { Report } from "./fake-node.ts";
import { FakeNode, keyOf } from "./fake-node.ts";
import { extraAttempt, impair, mishapOf, orderFor } from "./faults.ts";
import { LineLogs } from "./line-logs.ts";
import { Network } from "./network.ts";
import type { PartAnswer } from "./open-task.ts";
import { Random } from "./random.ts";
import { SavedResults } from "./saved-results.ts";
import { storyOf } from "./story.ts";

const faultsMs = 1_500;
const heartbeatMs = 100;
/** The shell looks for something to start this often, whatever happens. */
const tickMs = 1_000;
/** A task that hangs does not hang for ever: a node has no other way to end it here. */
const hungMs = 20_000;
const suspectMs = 120;
const deadMs = 250;
/** Simulated time and steps within which all jobs end after the faults. */
const livenessMs = 3_600_000;
const stepsMax = 50_000;

export class World {
  readonly agenda = new Agenda();
  readonly random: Random;
  readonly nodes = new Map<string, FakeNode>();
  readonly jobs = new Map<string, FakeJob>();
  readonly killed = new Set<string>();
  /** The node that an attempt was sent to. */
  readonly sentTo = new Map<string, string>();
  /** Every output ever written, also those that were lost since, by `host:file:at`. */
  readonly written = new Map<string, Contents>();
  ledger: Ledger | null = null;
  readonly #store = new CrashingStore();
  readonly #checks: Checks;
  readonly #mishaps = new Map<string, number>();
  readonly #unreachableSince = new Map<string, number>();
  readonly #logs = new LineLogs();
  readonly #saved = new SavedResults(this);
  readonly #network = new Network(this);
  /** Second attempts that the world, not the scheduler, has begun. */
  readonly #speculated = new Set<string>();
  /** What nodes are told when all that was recorded is in the journal. */
  readonly #acks: { node: FakeNode; deliver: () => void }[] = [];
  readonly #submissions: { key: string; fake: FakeJob }[] = [];
  readonly #steadiness: number;
  readonly #hangs: boolean;
  /** Share of tasks that take long. Where stages run beside each other, the later ones have to meet the earlier ones. */
  readonly #slowness: number;
  #faults = true;
  #skewMs = 0;
  #starts = 0;
  steps = 0;

  /** `beside`: stages may run beside the stages before them. */
  constructor(seed: number, beside = false) {
    this.random = new Random(seed);
    this.#checks = new Checks(this);
    // Some histories are calm, so that long chains of events without a crash happen too.
    this.#steadiness = this.random.pick([0.2, 1, 2, 4]);
    this.#hangs = this.random.chance(0.1);
    const hosts = Array.from({ length: this.random.int(1, 4) }, (_, n) => `node${n}`);
    for (const host of hosts) {
      this.nodes.set(host, new FakeNode(host, this.random.int(1, 2), this.random.int(1, 3), this));
    }
    const jobs = this.random.int(1, 3);
    this.#slowness = beside ? 0.4 : 0.05;
    for (let n = 0; n < jobs; n++)
      this.#submissions.push({ key: `job${n}`, fake: randomJob(this.random, hosts, beside) });
  }

  /** Runs the history to its end. @throws when something that must hold does not. */
  run(): void {
    this.#startMaster();
    for (const node of this.nodes.values()) this.#every(heartbeatMs, () => this.#heartbeat(node));
    this.#every(heartbeatMs, () => this.#watch());
    this.#every(tickMs, () => this.ledger?.nudge());
    for (const one of this.#submissions)
      this.agenda.after(this.random.int(0, faultsMs / 2), () => this.#submit(one.key, one.fake));
    this.#every(10, () => this.#misfortune());
    const faultsEnd = this.agenda.now + faultsMs;
    const end = faultsEnd + livenessMs;
    while (this.agenda.step()) {
      this.steps++;
      if (this.#faults && this.agenda.now >= faultsEnd) this.#heal();
      if (!this.#faults && this.#allEnded()) break;
      if (this.agenda.now > end || this.steps > stepsMax)
        throw new Error(`jobs do not end: ${storyOf(this.ledger?.machine)}`);
    }
    this.#checks.atEnd();
  }

  // ---- what nodes ask and tell --------------------------------------------------------------------------------------

  fakeJob(name: string): FakeJob {
    return this.jobs.get(name) as FakeJob;
  }

  taskMs(): number {
    if (this.#hangs && this.random.chance(0.02)) return hungMs;
    return this.random.chance(this.#slowness) ? this.random.int(100, 400) : this.random.int(1, 30);
  }

  manifest(job: string, stage: number): StageManifest | null {
    return this.ledger?.machine.manifest(job, stage) ?? null;
  }

  /** Asks for what has come of a stage. The answer comes when what it says is in the journal, or never. */
  askManifest(node: FakeNode, job: string, stage: number, since: ManifestMark | null, answer: PartAnswer): void {
    this.#network.toMaster(node, () => {
      if (this.ledger === null) return;
      const { machine } = this.ledger;
      const part = machine.manifestPart(job, stage, since);
      const whole = part?.open === true ? null : machine.manifest(job, stage);
      this.#acks.push({ node, deliver: () => answer(part, whole) });
      this.ledger.nudge();
    });
  }

  fetch(reader: FakeNode, ref: OutputRef): Contents | undefined {
    const owner = this.nodes.get(ref.host);
    if (owner === undefined || (owner !== reader && !(owner.reachable && reader.reachable))) return undefined;
    return owner.read(ref);
  }

  /** Something goes wrong with the attempt, now and then, but not so often that the job may give up. */
  mishap(assignment: Assignment): Report | null {
    if (!this.chance(0.06)) return null;
    return mishapOf(assignment, this.random, this.#mishaps);
  }

  /** Of an attempt that runs for a while. Lost on the way, it is not repeated. */
  began(node: FakeNode, id: AttemptId, agoMs: number): void {
    if (node.isHeard) this.ledger?.machine.began(id, this.#now() - agoMs);
  }

  report(node: FakeNode, report: Report): void {
    this.#network.toMaster(node, () => {
      this.record({ ...report, at: this.#now() } as MasterEvent);
      if (this.ledger !== null) this.#acks.push({ node, deliver: () => node.acknowledge(report) });
    });
  }

  // ---- master -------------------------------------------------------------------------------------------------------

  record(event: MasterEvent): void {
    if (this.ledger === null) return;
    this.#checks.before(event, this.ledger.machine);
    this.ledger.record(event);
    this.#checks.after(event, this.ledger.machine);
  }

  #startMaster(): void {
    this.#skewMs = this.#faults ? this.random.int(-5_000, 5_000) : this.#skewMs;
    const ledger: Ledger = Ledger.open({
      journal: openMemoryJournal(this.#store),
      writer: `master${this.#starts++}`,
      now: () => this.#now(),
      carryOut: (commands) => this.#carryOut(commands),
      defer: (act) => this.agenda.after(this.random.int(0, 3), () => this.#turn(ledger, act)),
      replayed: (command) => {
        if (command.kind === "log") this.#logs.add(command);
      },
      options: { policy: this.random.pick(["fair", "fifo"]), alpha: this.random.pick([0.001, 0.3, 1]) },
    });
    this.ledger = ledger;
    this.#checks.restarted(ledger.machine);
    ledger.machine.cluster.awaitNodes();
    for (const { key, at } of ledger.machine.timers()) this.#setTimer(key, at);
    this.#saved.restarted();
    for (const command of unsaved(ledger.machine.jobs.values())) this.#saved.begin(command);
    ledger.nudge();
  }

  #turn(ledger: Ledger, flush: () => void): void {
    if (this.ledger !== ledger) return;
    if (this.chance(0.01)) this.#store.next = this.random.pick(["crash-before", "crash-after"]);
    flush();
    if (ledger.error !== null) {
      if (!(ledger.error.cause instanceof Crash)) throw ledger.error;
      this.masterDies();
      return;
    }
    this.#store.next = "work";
    this.#checks.consistent(ledger.machine, this.#faults ? null : this.#now());
    for (const { node, deliver } of this.#acks.splice(0)) this.#network.toNode(node, deliver);
  }

  masterDies(): void {
    this.ledger = null;
    this.#acks.length = 0;
    this.agenda.after(this.random.int(1, 200), () => this.#startMaster());
  }

  #carryOut(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.kind === "assign") {
        const chosen = command.assignments.filter((one) => !this.#speculated.has(keyOf(one)));
        if (chosen.length > 0) this.#checks.assigned(command.host, this.ledger?.machine);
        this.#eachNode([command.host], (node) => command.assignments.forEach((one) => node.assign(one)));
      } else if (command.kind === "cancel") this.#eachNode([command.host], (node) => node.cancel(command.id));
      else if (command.kind === "stop-job") this.#eachNode(command.hosts, (node) => node.stopJob(command.job));
      else if (command.kind === "resize-node") this.#eachNode([command.host], (node) => node.resize(command.slots));
      else if (command.kind === "log") this.#logs.add(command);
      else if (command.kind === "set-timer") this.#setTimer(command.key, command.at);
      else if (command.kind === "save-results") this.#saved.begin(command);
      else if (command.kind === "drop-files") {
        this.#eachNode(command.hosts, (node) => node.drop(command.job));
      }
    }
  }

  #setTimer(key: string, at: number): void {
    const ledger = this.ledger;
    this.agenda.after(Math.max(0, at - this.#now()), () => {
      if (this.ledger !== null && (ledger === null || this.ledger === ledger))
        this.record({ kind: "timer-fired", at: this.#now(), key });
    });
  }

  #submit(key: string, fake: FakeJob): void {
    if (this.ledger !== null && !this.ledger.machine.keys.has(key)) {
      const job = this.ledger.machine.nextName(fake.spec.prefix, this.#now());
      this.jobs.set(job, fake);
      this.record({ kind: "job-submitted", at: this.#now(), job, spec: fake.spec, key });
    }
    // The client asks again until it knows that the job was accepted; the key keeps it from starting twice.
    if (this.#faults) this.agenda.after(50, () => this.#submit(key, fake));
  }

  // ---- nodes and network --------------------------------------------------------------------------------------------

  #heartbeat(node: FakeNode): void {
    if (!node.isHeard || this.ledger === null) return;
    const { host, offered: slots, queueDepth, session } = node;
    const incarnation = String(node.incarnation);
    const attempts = node.attempts();
    this.#network.toMaster(node, () => {
      const offer = { slots, queueDepth, labels: {}, attempts, session, url: `http://${host}` };
      this.record({ kind: "node-joined", at: this.#now(), host, incarnation, ...offer });
    });
    for (const report of node.reports()) this.report(node, report);
  }

  /** The master's watch over nodes that say nothing. */
  #watch(): void {
    for (const node of this.nodes.values()) {
      if (node.isHeard) this.#unreachableSince.delete(node.host);
      else if (!this.#unreachableSince.has(node.host)) this.#unreachableSince.set(node.host, this.agenda.now);
      const since = this.#unreachableSince.get(node.host);
      const silent = since !== undefined && this.agenda.now - since > deadMs;
      this.ledger?.machine.cluster.suspect(node.host, since !== undefined && this.agenda.now - since > suspectMs);
      if ((silent && this.ledger?.machine.cluster.node(node.host)?.connected) || this.chance(0.015)) {
        this.record({ kind: "node-lost", at: this.#now(), host: node.host, reason: "it does not answer" });
      }
    }
  }

  #misfortune(): void {
    const node = this.random.pick([...this.nodes.values()]);
    if (this.chance(0.01) && node.up) {
      node.crash(this.random.chance(0.3));
      this.agenda.after(this.random.int(10, 800), () => (node.up = true));
    }
    if (this.chance(0.01) && !node.cut) {
      node.cut = true;
      this.agenda.after(this.random.int(10, 800), () => (node.cut = false));
    }
    impair(node, this, (p) => this.chance(p));
    if (this.chance(0.02) && node.disk.size > 0) node.disk.delete(this.random.pick([...node.disk.keys()]));
    if (this.ledger === null) return;
    if (this.chance(0.01)) {
      if (this.random.chance(0.5)) this.masterDies();
      else this.#daemonDies();
    } else if (this.chance(0.05)) this.#compact(this.ledger);
    if (this.ledger === null) return;
    if (this.chance(0.02)) this.#configure([node.host, this.random.pick([0, 0, 1, 3])]);
    if (this.chance(0.01)) this.record({ ...orderFor(node, this.random), at: this.#now() });
    if (this.chance(0.1)) this.#speculate(node);
    if (this.chance(0.002)) this.#kill();
  }

  #daemonDies(): void {
    this.masterDies();
    for (const node of this.nodes.values()) node.restart();
  }

  #configure(...table: (readonly [string, number])[]): void {
    this.record({ kind: "config-saved", at: this.#now(), table });
  }

  #compact(ledger: Ledger): void {
    this.#checks.survives(ledger.machine);
    this.#turn(ledger, () => ledger.compact());
  }

  #speculate({ host }: FakeNode): void {
    const extra = this.ledger === null ? undefined : extraAttempt(this.ledger.machine, host);
    if (extra === undefined) return;
    this.#speculated.add(keyOf(extra));
    this.record({ kind: "tasks-assigned", at: this.#now(), tasks: [extra] });
  }

  #kill(): void {
    const job = this.ledger?.machine.jobs.keys().next().value;
    if (job === undefined) return;
    this.killed.add(job);
    this.record({ kind: "job-killed", at: this.#now(), job });
  }

  #heal(): void {
    this.#faults = false;
    for (const node of this.nodes.values()) {
      Object.assign(node, { cut: false, deaf: false, mute: false, paused: false, up: true });
    }
    for (const { key, fake } of this.#submissions) this.#every(100, () => this.#submit(key, fake));
    // Somebody gives the nodes slots again, once there is a master to be told.
    const table = [...this.nodes.keys()].map((host) => [host, this.random.int(1, 3)] as const);
    const configure = (): void => {
      if (this.ledger === null) this.agenda.after(100, configure);
      else {
        this.#configure(...(this.random.chance(0.5) ? table : []));
        // All but one, should there be others, may go on being drained.
        const [host = ""] = this.nodes.keys();
        this.record({ kind: "node-undrained", at: this.#now(), host });
      }
    };
    configure();
  }

  #eachNode(hosts: readonly string[], act: (node: FakeNode) => void): void {
    for (const host of hosts) {
      const node = this.nodes.get(host);
      if (node !== undefined) this.#network.toNode(node, () => act(node));
    }
  }

  #every(ms: number, act: () => void): void {
    const again = (): void => {
      act();
      this.agenda.after(ms, again);
    };
    this.agenda.after(this.random.int(0, ms), again);
  }

  /** Chance of a fault. */
  chance(p: number): boolean {
    return this.#faults && this.random.chance(p * this.#steadiness);
  }

  #now(): number {
    return this.agenda.now + this.#skewMs;
  }

  #allEnded(): boolean {
    const machine = this.ledger?.machine;
    return (
      machine !== undefined && this.#submissions.every(({ key }) => machine.ended.has(machine.keys.get(key) ?? ""))
    );
  }
}
