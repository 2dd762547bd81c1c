/**
 * Where a worker is checked: a data directory with a job home as on a node, inputs as files of that node and by HTTP, and the job pack.
 * All of it is temporary.
 */
import { createReadStream, rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, realpath, stat, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { foreignEnvironment } from "../../node/foreign/environment.ts";
import type { SessionInput } from "../../node/foreign/session-inputs.ts";
import type { TaskBody } from "../../protocol/worker-protocol/messages.ts";
import type { Situation } from "./situation.ts";
import type { Subject } from "./subject.ts";
import { type Program, type Run, type RunLimits, runWorker } from "./worker-run.ts";

/** A name that leads nowhere: what is of a worker's own node is a file to it. */
export const benchHost = "checked-node";
const jobName = "check@1:2:3";
/** As gateways have it, below which all that they serve is: a worker that takes addresses apart and leaves it out would fail on a node. */
const gatewayKey = "1-key-of-the-job";

export class Bench implements AsyncDisposable {
  readonly subject: Subject;
  readonly limits: RunLimits;
  /** The job home. */
  readonly home: string;
  readonly #folder: string;
  readonly #data: string;
  readonly #server: http.Server;
  readonly #program: Program;
  #plain: Promise<Run> | undefined;

  private constructor(subject: Subject, limits: RunLimits, folder: string, server: http.Server) {
    this.subject = subject;
    this.limits = limits;
    this.#folder = folder;
    this.#data = join(folder, "data");
    this.#server = server;
    this.home = join(this.#data, benchHost, "00", jobName);
    this.#program = { path: join(this.home, subject.worker), cwd: this.home, env: this.#environment() };
  }

  static async open(subject: Subject, limits: RunLimits): Promise<Bench> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "disco-check-worker-")));
    const server = http.createServer((request, response) => void serve(join(folder, "data"), request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bench = new Bench(subject, limits, folder, server);
    process.once("exit", bench.#remove);
    try {
      await bench.#fill();
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
    return bench;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    process.off("exit", this.#remove);
    this.#remove();
  }

  /** Also when the command is interrupted. A worker that is being killed may still write. */
  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });

  /** The task with all of its inputs, and nothing out of the ordinary. Run once. */
  plain(): Promise<Run> {
    this.#plain ??= this.run({ steps: [this.inputs()], watched: true });
    return this.#plain;
  }

  run(situation: Omit<Situation, "task"> & { readonly task?: Partial<TaskBody> }, limits = this.limits): Promise<Run> {
    return runWorker(this.#program, { ...situation, task: { ...this.#task(), ...situation.task } }, limits);
  }

  inputs(): SessionInput[] {
    return this.subject.inputs.map(({ label, addresses }, i) => ({
      label,
      replicas: addresses ?? [this.address(`inputs/${i}`)],
    }));
  }

  /** Address of a file of this node, below its data. */
  address(path: string): string {
    return `disco://${benchHost}/disco/${benchHost}/${path}`;
  }

  /** The same file, as another node would serve it. */
  httpAddress(path: string): string {
    return `${this.#master}/disco/${benchHost}/${path}`;
  }

  /** Puts a file where `address(path)` leads. */
  async write(path: string, contents: string | Uint8Array): Promise<void> {
    const file = join(this.#data, benchHost, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
  }

  /** A text without what differs from one checker to the next: its temporary directory, and its port. */
  settled(text: string): string {
    return text.replaceAll(this.#folder, "/disco").replace(new RegExp(`(?<=: ?)${this.#port}\\b`, "g"), "8989");
  }

  get #port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get #master(): string {
    return `http://127.0.0.1:${this.#port}/${gatewayKey}`;
  }

  #task(): TaskBody {
    const { stage, grouping } = this.subject;
    return {
      taskid: 0,
      master: this.#master,
      disco_port: this.#port,
      put_port: this.#port,
      ddfs_data: join(this.#folder, "ddfs"),
      disco_data: this.#data,
      stage,
      grouping,
      group: [0, ""],
      jobfile: join(this.home, "jobfile"),
      jobname: jobName,
      host: benchHost,
    };
  }

  /** As nodes have it for workers. */
  #environment(): NodeJS.ProcessEnv {
    const { master, disco_port, put_port, disco_data, ddfs_data } = this.#task();
    return foreignEnvironment(process.env, this.subject.jobenvs, {
      DISCO_MASTER: master,
      DISCO_PORT: String(disco_port),
      DDFS_PUT_PORT: String(put_port),
      DISCO_DATA: disco_data,
      DDFS_DATA: ddfs_data,
      DISCO_PROXY: "",
    });
  }

  async #fill(): Promise<void> {
    const { files, worker, pack, inputs } = this.subject;
    await mkdir(join(this.home, ".disco"), { recursive: true });
    await mkdir(join(this.#folder, "ddfs"));
    for (const [path, { contents, mode }] of files) {
      await mkdir(dirname(join(this.home, path)), { recursive: true });
      await writeFile(join(this.home, path), contents, { mode });
    }
    await chmod(join(this.home, worker), 0o755);
    await writeFile(join(this.home, "jobfile"), pack);
    for (const [i, { contents }] of inputs.entries())
      if (contents !== undefined) await this.write(`inputs/${i}`, contents);
  }
}

async function serve(data: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const path = decodeURIComponent((request.url ?? "/").replace(`/${gatewayKey}/disco/`, "/"));
  try {
    const file = join(data, path);
    const { size } = await stat(file);
    response.writeHead(200, { "content-length": size, connection: "close" });
    createReadStream(file).pipe(response);
  } catch {
    response.writeHead(404, { connection: "close" }).end("Not found.");
  }
}
