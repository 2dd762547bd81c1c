/**
 * `disco cluster up`: a cluster on one machine, to try what several do.
 *
 *   lock on ROOT/cluster ─▶ server of NATS ─▶ masters serve ─▶ nodes have joined ─▶ "run a job" … signal ─▶ nodes, masters, NATS end
 *
 * Each is a process with a root of its own, in a group of its own. When this process ends without a word, masters and nodes see it and
 * end; the server of NATS is ended by the next start.
 */
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import { lockFolder } from "../../node/volume-lock.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { settingOf } from "../../settings/table.ts";
import { details, type OutputOptions, print } from "../daemon/output.ts";
import { StopSignals } from "../daemon/stop-signals.ts";
import { exitCodes } from "../exit-codes.ts";
import { ownCommand } from "../print/own-command.ts";
import { lookOf } from "../progress/look.ts";
import type { Child } from "./child.ts";
import { natsVersion, remarkOn, startNats } from "./local-nats.ts";
import { Member } from "./member.ts";
import { shownLine } from "./up-lines.ts";
import { type UpSettings, upSettingsOf } from "./up-settings.ts";

export interface UpOptions extends OutputOptions, SettingFlags {
  readonly nodes: number;
  readonly masters: number;
}

/** @throws DiscoError `no-nats-server`, `volume-busy`, and what settings throw */
export async function clusterUp({ nodes, masters, json, ...flags }: UpOptions): Promise<number> {
  const settings = await upSettingsOf(flags, nodes);
  const version = settings.values.engine === null ? natsVersion() : null;
  const unlock = lockCluster(settings.folder);
  const signals = new StopSignals();
  const people = json === true ? null : lookOf(process.stderr);
  const cluster = new LocalCluster(settings, {
    line: (name, text) => {
      const shown = shownLine(name, text, settings.values.logLevel, people);
      if (shown !== null) process.stderr.write(`${shown}\n`);
    },
    notice,
  });
  // Also after a second Ctrl-C.
  const killAll = (): void => cluster.kill();
  process.once("exit", killAll);
  const remark = version === null ? null : remarkOn(version);
  if (remark !== null) notice(remark);
  try {
    const opening = cluster.open(nodes, masters);
    opening.catch(() => undefined);
    const begun = await Promise.race([opening, signals.first, cluster.failed]);
    if (typeof begun === "string") return exitCodes.ok;
    tell(settings, cluster, { json: json === true });
    await Promise.race([signals.first, cluster.failed]);
    return exitCodes.ok;
  } finally {
    notice("stopping");
    await cluster.close();
    process.off("exit", killAll);
    unlock();
    notice("stopped");
  }
}

function lockCluster(folder: string): () => void {
  try {
    return lockFolder(folder, "up.lock");
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "volume-busy") throw error;
    throw new DiscoError(`a cluster runs already below ${folder}`, {
      code: "volume-busy",
      cause: error,
      hint: "End that one with Ctrl-C, or give this one a folder of its own: --root.",
    });
  }
}

function notice(text: string): void {
  process.stderr.write(`${"cluster".padEnd(7)} | ${text}\n`);
}

interface Output {
  readonly line: (name: string, text: string) => void;
  readonly notice: (text: string) => void;
}

class LocalCluster {
  readonly #settings: UpSettings;
  readonly #output: Output;
  readonly masters: Member[] = [];
  readonly nodes: Member[] = [];
  #nats: Child | null = null;
  #closing = false;
  readonly #failure = Promise.withResolvers<never>();
  /** For `DISCO_ENGINE`. */
  engine = "";

  constructor(settings: UpSettings, output: Output) {
    this.#settings = settings;
    this.#output = output;
    this.failed.catch(() => undefined);
  }

  /** Rejects when it cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Resolves when all have joined. @throws DiscoError `start-failed`; `bad-setting` if a process says that of what it was given */
  async open(nodes: number, masters: number): Promise<void> {
    const env = { ...this.#settings.env, ...(await this.#openEngine()) };
    const { port } = this.#settings.values;
    for (let i = 1; i <= masters && !this.#closing; i++) {
      const own = { DISCO_PORT: String(i === 1 ? port : 0) };
      const master = this.#member("master", i, { ...env, ...own });
      this.masters.push(master);
      await master.start();
    }
    if (this.#closing) return;
    for (let i = 1; i <= nodes; i++) {
      const own = { DISCO_PORT: "0", DISCO_NODE: `node${i}` };
      this.nodes.push(this.#member("node", i, { ...env, ...own }));
    }
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.nodes.map((node) => node.stop()));
    // From the last one on: the first one leads, as a rule, and need not hand over.
    for (const master of this.masters.toReversed()) await master.stop();
    await this.#nats?.stop();
  }

  /** At once. */
  kill(): void {
    this.#closing = true;
    for (const member of [...this.nodes, ...this.masters]) member.kill();
    this.#nats?.kill();
  }

  async #openEngine(): Promise<NodeJS.ProcessEnv> {
    const { values, folder } = this.#settings;
    if (values.engine !== null) {
      this.engine = settingOf("engine").type.show(values.engine);
      return {};
    }
    const started = (child: Child): void => {
      this.#nats = child;
    };
    const { child, url, user, password } = await startNats(
      join(folder, "nats"),
      (text) => this.#output.line("nats", text),
      started,
    );
    void child.ended.then((how) => {
      if (this.#closing) return;
      const hint = "Its lines above say why; `disco cluster up` starts it again, and jobs go on.";
      this.#failure.reject(new DiscoError(`nats ${how}: the cluster cannot go on`, { code: "start-failed", hint }));
    });
    this.engine = url;
    return {
      DISCO_ENGINE: url,
      DISCO_ENGINE_USER: user,
      DISCO_ENGINE_PASSWORD: password,
      DISCO_ENGINE_CREDS: undefined,
      DISCO_ENGINE_CA: undefined,
      DISCO_ENGINE_CERT: undefined,
      DISCO_ENGINE_KEY: undefined,
      DISCO_ENGINE_MONITOR: undefined,
      DISCO_ALLOW_OLD_ENGINE: "1",
    };
  }

  #member(role: "master" | "node", number: number, env: NodeJS.ProcessEnv): Member {
    const name = `${role}${number}`;
    return new Member({
      name,
      role,
      env: { ...env, DISCO_ROOT: join(this.#settings.folder, name) },
      line: (text) => this.#output.line(name, text),
      notice: this.#output.notice,
      failed: (error) => this.#failure.reject(error),
    });
  }
}

function tell({ folder, workers, tokenFile }: UpSettings, cluster: LocalCluster, output: OutputOptions): void {
  const [first, ...others] = cluster.masters.map(({ url }) => `localhost:${new URL(url).port}`);
  const master = `disco://${[first, ...others].join(",")}`;
  const page = `http://${first}/`;
  const token = tokenFile === null ? "" : ` DISCO_TOKEN_FILE=${tokenFile}`;
  const document = {
    master,
    page,
    engine: cluster.engine,
    tokenFile,
    folder,
    workers,
    masters: cluster.masters.map(({ url, pid }) => ({ url, pid })),
    nodes: cluster.nodes.map(({ url, pid }, i) => ({ name: `node${i + 1}`, url, pid })),
  };
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  print(output, document, [
    "",
    `The cluster runs: ${count(cluster.masters.length, "master")}, ${count(cluster.nodes.length, "node")} of ${count(workers, "worker")}.`,
    ...details([
      ["page", page],
      ["token", tokenFile ?? "the one that is set"],
      ["stored", folder],
    ]),
    "",
    "Run a job on it, from another terminal:",
    `  DISCO_MASTER=${master}${token} ${ownCommand()} run JOB.ts`,
    "Ctrl-C ends it; jobs go on at the next start.",
    "",
  ]);
}
