/**
 * A node: takes assignments from the master, runs them in its pool of workers, reports. It decides nothing about jobs.
 *
 * N1. Assignments of an epoch lower than the highest seen are refused: they come from a master that lost its office.
 * N2. An assignment that was accepted is reported, whatever happens to it (`Reports` repeats until the master has it).
 * N3. An assignment that comes twice runs once.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { part } from "../bus/subjects.ts";
import { packageVersion } from "../package-version.ts";
import type { PackPlaces } from "../protocol/large-reply.ts";
import type {
  Assignment,
  AttemptId,
  DropScope,
  NodeHello,
  NodeState,
  NodeWelcome,
  WorkerTask,
} from "../protocol/messages.ts";
import { AcceptedAttempts } from "./accepted-attempts.ts";
import { BlobDuties } from "./ddfs/blob-duties.ts";
import { lookAtTold } from "./ddfs/told-damage.ts";
import { diskIdentity, diskSpace } from "./disk.ts";
import { MasterFiles } from "./fetch/master-files.ts";
import { Peers } from "./fetch/peers.ts";
import { TaskInputs } from "./fetch/task-inputs.ts";
import { ForeignJobs } from "./foreign-jobs.ts";
import { Heart } from "./heart.ts";
import { jobDirectory } from "./job-directory.ts";
import { dropFiles, type JobHome, openJobHome } from "./job-home.ts";
import { Leftovers } from "./leftovers.ts";
import { Manifests } from "./manifests.ts";
import { MasterLink } from "./master-link.ts";
import { Membership } from "./membership.ts";
import type { NodeOptions } from "./node-options.ts";
import { type OobFiles, writeOobList } from "./oob-list.ts";
import { isEnd, preparationFailure } from "./preparation-failure.ts";
import { privateDirectoryMode } from "./private-modes.ts";
import { sweepRehearsals } from "./rehearsals.ts";
import { Reports } from "./reports.ts";
import { WorkerPool } from "./worker-pool.ts";

interface NodeJob {
  readonly home: Promise<JobHome>;
  /** Accepted, and not in the pool yet: the job's files, or a manifest, are on their way. */
  readonly preparing: Map<string, AttemptId>;
  readonly accepted: AcceptedAttempts;
}

export class Node {
  readonly #options: NodeOptions;
  /** Unique for each start. */
  readonly session: string;
  readonly #master: MasterLink;
  readonly #membership: Membership;
  readonly #heart: Heart;
  readonly #reports: Reports;
  readonly #files: MasterFiles;
  readonly #manifests: Manifests;
  readonly #inputs: TaskInputs | null;
  readonly #pool: WorkerPool;
  readonly #foreign: ForeignJobs;
  readonly #leftovers: Leftovers;
  readonly #blobs: BlobDuties | null;
  readonly #jobs = new Map<string, NodeJob>();
  readonly #stopping = new Map<string, Promise<void>>();
  readonly #stops: (() => void)[] = [];
  #serves = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.session = options.session ?? randomUUID();
    const { bus, host, slots, master, token, dataDir, blobs, memoryLimitBytes, spare, workerScript } = options;
    this.#master = new MasterLink(bus, host, options.instance);
    this.#membership = new Membership({
      bus,
      master: this.#master,
      session: this.session,
      hello: () => this.#hello(),
      joined: (welcome) => this.#joined(welcome),
      refused: options.refused,
    });
    this.#heart = new Heart({
      bus,
      host,
      dataDir,
      blobs,
      diskReserveBytes: options.diskReserveBytes ?? 0,
      session: this.session,
      epoch: () => this.#membership.epoch,
      running: () => this.#pool.running().length,
    });
    this.#reports = new Reports(this.#master);
    const { remote } = options;
    const peers = remote === undefined ? null : new Peers({ urlOf: (node) => this.dataServers[node], ...remote });
    this.#inputs = peers === null ? null : new TaskInputs({ host, peers, patienceMs: remote?.patienceMs });
    this.#files = new MasterFiles({ master: this.#master, url: () => this.masterUrl, peers });
    this.#manifests = new Manifests(this.#files);
    this.#blobs = blobs === undefined ? null : new BlobDuties({ blobs, host, dataDir, peers, master: this.#master });
    this.#foreign = new ForeignJobs({
      dataDir,
      host,
      blobs,
      peers,
      remote,
      patienceMs: remote?.patienceMs,
      nodes: () => this.dataServers,
      masterUrl: () => this.masterUrl,
      ownMaster: options.ownMaster,
      openInputs: {
        ask: (question, scratch) => this.#files.answer("manifest", question, scratch),
        arrived: (id, manifestFile) => this.#pool.inputsArrived(id, manifestFile),
        attempts: () => this.#attempts(),
      },
    });
    this.#pool = new WorkerPool({
      slots,
      host,
      master,
      token,
      dataDir,
      memoryLimitBytes,
      spare,
      ...(remote === undefined ? {} : { peers: { dataServers: () => this.dataServers, token: remote.token } }),
      incarnation: Date.now().toString(36),
      report: (report) => {
        if (isEnd(report)) this.#inputs?.drop(report);
        this.#reports.add(report);
      },
      damaged: (url) => void lookAtTold(options.blobs, url).catch(() => undefined),
      now: options.now ?? (() => performance.now()),
      ...(workerScript === undefined ? {} : { script: workerScript }),
    });
    this.#leftovers = new Leftovers({
      dataDir,
      host,
      master: this.#master,
      works: (job) => this.#jobs.has(job),
      drop: ({ job, scope }) => this.#drop(host, job, scope),
    });
  }

  /** Starts the spare worker, which takes a while. */
  warm(): void {
    this.#pool.warm();
  }

  /** Serves its subjects: a master that takes over has files to drop before it has nodes to work with. */
  serve(): void {
    if (this.#serves) return;
    this.#serves = true;
    const { bus, dataDir, host } = this.#options;
    const serve = <T>(name: string, handler: (message: T) => unknown): void => {
      this.#stops.push(
        bus.serve(`node.${part(host)}.${name}`, async (bytes) => {
          const message = fromJsonBytes<T & { readonly epoch?: number }>(bytes);
          if (message.epoch !== undefined) this.#membership.assertEpoch(message.epoch);
          return toJsonBytes((await handler(message)) ?? null);
        }),
      );
    };
    serve("assign", (message: { assignments: Assignment[] }) => this.#assign(message.assignments));
    serve("rejoin", () => void this.join().catch(() => undefined));
    serve("cancel", (message: { attempts: AttemptId[] }) => {
      for (const id of message.attempts) {
        this.#inputs?.drop(id);
        if (this.#jobs.get(id.job)?.preparing.delete(keyOf(id)) !== true) this.#pool.cancel(id);
      }
    });
    serve("resize", ({ slots }: { slots: number }) => this.#pool.resize(slots));
    serve("end-job", ({ job, oob }: { job: string; oob: OobFiles }) =>
      this.#stopJob(job, () => this.#listOob(job, oob)),
    );
    serve("stop-job", ({ job }: { job: string }) => this.#stopJob(job));
    // It holds what it wrote under names that it had before as well.
    serve("drop-files", ({ job, scope, host: holder }: { job: string; scope: DropScope; host: string }) =>
      this.#drop(holder, job, scope),
    );
    serve("hold-pack", async ({ job, ...places }: { job: string } & PackPlaces) => {
      const directory = join(dataDir, jobDirectory(host, job));
      await mkdir(directory, { recursive: true, mode: privateDirectoryMode });
      await this.#files.hold(places, join(directory, "jobfile"));
    });
    serve("state", () => this.#state());
    this.#blobs?.serve(serve);
  }

  /** Joins the master, and deletes what predecessors that were killed have left. */
  async start(): Promise<void> {
    void sweepRehearsals(this.#options.dataDir);
    await this.join();
  }

  /**
   * Follows whoever leads from now on, as a node of several: joins, beats, and joins again when another master leads. It serves
   * its subjects when it was let in, as another node may have its name.
   */
  follow(): void {
    void sweepRehearsals(this.#options.dataDir);
    this.#membership.follow();
  }

  /** Tells the master that it is there, and which attempts it has. */
  join(): Promise<void> {
    return this.#membership.join();
  }

  /** Says goodbye: the master gives its tasks to others at once. To be closed then. */
  async leave(): Promise<void> {
    this.#heart.stop();
    await this.#membership.leave();
  }

  /** Base URLs of all nodes' data servers, by name. */
  get dataServers(): Readonly<Record<string, string>> {
    return this.#membership.dataServers;
  }

  /** Base URL of the master that leads; `null`: none is known. */
  get masterUrl(): string | null {
    return this.#membership.masterUrl;
  }

  /** Process ids of the workers, the spare included. */
  workerPids(): number[] {
    return this.#pool.pids();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#heart.stop();
    this.#membership.close();
    this.#reports.close();
    this.#files.close();
    await this.#leftovers.close();
    await this.#blobs?.close();
    await this.#pool.close();
    await this.#foreign.close();
    await this.#inputs?.close();
    await sweepRehearsals(this.#options.dataDir);
  }

  /** As `close`, when the master has failed: its jobs are dead, and what they have written so far is in the way. */
  async abandon(): Promise<void> {
    const { dataDir, host } = this.#options;
    const jobs = [...this.#jobs.keys()];
    await this.close();
    for (const job of jobs) await dropFiles(dataDir, host, job, "intermediate");
  }

  #joined(welcome: NodeWelcome): void {
    this.#pool.tellBegun();
    this.#blobs?.joined(welcome);
    if (this.#options.instance !== undefined) return;
    this.serve();
    this.#heart.start();
    this.#leftovers.look();
    this.#options.joined?.(this.#membership.epoch);
  }

  async #hello(): Promise<NodeHello> {
    const { dataDir, host, slots, queueDepth, labels, url } = this.#options;
    const incarnation = await diskIdentity(join(dataDir, host));
    const whole = { session: this.session, version: packageVersion(), ...(url === undefined ? {} : { url }) };
    const attempts = this.#attempts();
    return { host, incarnation, slots, queueDepth, labels, attempts, ...whole, ...(await this.#blobs?.hello()) };
  }

  #assign(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) {
      const job = this.#job(assignment);
      if (!job.accepted.add(assignment)) continue;
      void this.#enqueue(assignment, job);
    }
  }

  #job({ job: name, foreign }: Assignment): NodeJob {
    const known = this.#jobs.get(name);
    if (known !== undefined) return known;
    const { dataDir, host } = this.#options;
    const fetchPack = (to: string): Promise<void> => this.#files.pack(name, to);
    const home =
      foreign === undefined
        ? openJobHome({ dataDir, host, job: name, fetchPack })
        : this.#foreign.open(name, foreign.worker, fetchPack);
    const job: NodeJob = { home, preparing: new Map(), accepted: new AcceptedAttempts() };
    this.#jobs.set(name, job);
    // A failure is told by each attempt that waits for it; the next attempt tries again.
    home.catch(() => {
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
    });
    return job;
  }

  async #enqueue(assignment: Assignment, job: NodeJob): Promise<void> {
    const { job: name, stage, task, attempt, stageName, group, input, foreign } = assignment;
    const { taskTimeoutMs, memoryLimitBytes } = assignment;
    const id: AttemptId = { job: name, stage, task, attempt };
    const key = keyOf(id);
    job.preparing.set(key, id);
    try {
      const home = await job.home;
      const bare: WorkerTask = { ...id, stageName, group, input, ...(foreign === undefined ? {} : { foreign }) };
      let workerTask = bare;
      if (input.kind === "stage" && input.open === true) {
        workerTask = { ...bare, manifestFile: await this.#foreign.follow(id, home, input) };
      } else if (input.kind === "stage") {
        let manifestFile = await this.#manifests.file(home, input.stage, input.version);
        // A foreign worker reads other nodes' outputs by itself.
        if (this.#inputs !== null && foreign === undefined && job.preparing.has(key))
          manifestFile = await this.#inputs.prepare(id, home, input, manifestFile);
        workerTask = { ...bare, manifestFile };
      }
      // The attempt may have been cancelled meanwhile, and the job may have ended.
      if (job.preparing.delete(key) && this.#jobs.get(name) === job)
        this.#pool.enqueue({ task: workerTask, home, taskTimeoutMs, memoryLimitBytes });
    } catch (error) {
      if (!job.preparing.delete(key)) return;
      this.#reports.add(preparationFailure(error, id, input));
    }
  }

  /**
   * Resolves when no process of the job lives and nothing of it is being written. One who asks again while it is being
   * stopped waits for the same.
   */
  #stopJob(job: string, last: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const known = this.#jobs.get(job);
    this.#jobs.delete(job);
    const manifests = this.#manifests.forget(job);
    const before = this.#stopping.get(job);
    const stopping = (async () => {
      await before;
      await this.#pool.endJob(job);
      await manifests;
      await this.#foreign.forget(job);
      await this.#inputs?.forget(job);
      await known?.home.catch(() => undefined);
      await this.#foreign.ended(job);
      await last();
    })().finally(() => {
      if (this.#stopping.get(job) === stopping) this.#stopping.delete(job);
    });
    this.#stopping.set(job, stopping);
    return stopping;
  }

  async #drop(holder: string, job: string, scope: DropScope): Promise<void> {
    await this.#stopJob(job);
    await dropFiles(this.#options.dataDir, holder, job, scope);
  }

  /** Keeps the list of the job's out-of-band values, where there is something of the job at all. */
  async #listOob(job: string, oob: OobFiles): Promise<void> {
    const { dataDir, host } = this.#options;
    const systemDir = join(dataDir, jobDirectory(host, job), ".disco");
    if (existsSync(systemDir)) await writeOobList({ systemDir }, oob);
  }

  /** All that it has accepted and has not reported, or whose report the master has not acknowledged. */
  #attempts(): AttemptId[] {
    const preparing = [...this.#jobs.values()].flatMap((job) => [...job.preparing.values()]);
    return [...preparing, ...this.#pool.attempts(), ...this.#reports.unacknowledged()];
  }

  async #state(): Promise<NodeState> {
    const { host, dataDir } = this.#options;
    return { host, running: this.#pool.running(), ...(await diskSpace(dataDir)) };
  }
}

function keyOf({ stage, task, attempt }: AttemptId): string {
  return `${stage}/${task}/${attempt}`;
}
