/**
 * All settings: the one list from which values are read, `--help` and `disco config` are written, and the table in
 * `docs/settings.md` is checked. A name is its flag in camel case (`diskReserve`: `--disk-reserve`).
 */
import { availableParallelism, hostname } from "node:os";
import { defaultRoot } from "../root-directory.ts";
import { host, hostNames, isLoopback, masterAddress, networks, nodeName, proxyAddress } from "./addresses.ts";
import { clusterTable } from "./cluster-table.ts";
import type { DaemonSettings } from "./daemon-settings.ts";
import { ddfsTable } from "./ddfs-table.ts";
import { labels } from "./labels.ts";
import { byteSize, duration, durationOrNever } from "./quantities.ts";
import { token } from "./token.ts";
import { fraction, oneOf, optional, path, text, type ValueType, wholeNumber, yesOrNo } from "./value-type.ts";

export interface Setting<T> {
  /** Whose: of the daemon, of clients and commands, of both; of masters and nodes of a cluster, which have those of the daemon as well. */
  readonly of: "daemon" | "client" | "both" | "cluster";
  /** As in `--help`: `--port <n>`. `null`: there is none for all commands. */
  readonly flag: string | null;
  readonly env: string;
  /** In `disco.toml`, with its table: `scheduler.alpha`. `null`: it may not stand there. */
  readonly key: string | null;
  readonly type: ValueType<T>;
  default(context: DefaultContext): T;
  /** The default in words, where it depends on the machine. */
  readonly defaultText?: string;
  /** A sentence without its end. */
  readonly description: string;
  /** Its value is never shown. */
  readonly secret?: true;
  /** A wrong value is not quoted: it may have a password in it. */
  readonly delicate?: true;
}

/** What a default may depend on. */
export interface DefaultContext {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Address that the daemon listens at. */
  readonly host: string;
}

type Policy = DaemonSettings["scheduler"]["policy"];
type LogLevel = DaemonSettings["logLevel"];

const defaultPort = 8989;
const workersMax = 1024;
/** Disco's own; how much the fair policy holds against jobs that have had their share. */
const defaultAlpha = 0.001;
const packBytesMin = 2 ** 16;
/** Offsets in job packs allow no more that is read safely (`protocol/jobpack.ts`). */
const packBytesMax = 2 ** 30;
const defaultReserveBytes = 64 * 2 ** 20;
const defaultRetrySeconds = 120;

/** `host` stands first: defaults of others depend on it. */
export const settingsTable = {
  host: setting({
    of: "daemon",
    flag: "--host <address>",
    env: "DISCO_HOST",
    key: "host",
    type: host,
    default: () => "127.0.0.1",
    description: "address to listen at; one that other machines reach needs a token",
  }),
  port: setting({
    of: "daemon",
    flag: "--port <n>",
    env: "DISCO_PORT",
    key: "port",
    type: wholeNumber(0, 65_535, " (0 takes a free one)"),
    default: () => defaultPort,
    description: "port to listen at; 0 takes a free one",
  }),
  root: setting({
    of: "both",
    flag: "--root <folder>",
    env: "DISCO_ROOT",
    key: "root",
    type: path,
    default: ({ env }) => defaultRoot(env),
    defaultText: "`$XDG_DATA_HOME/disco`, else `~/.local/share/disco`",
    description: "where jobs, results, journal and log are stored",
  }),
  node: setting({
    of: "daemon",
    flag: "--node <name>",
    env: "DISCO_NODE",
    key: "node",
    type: nodeName,
    default: ({ host: address }) => (isLoopback(address) ? "localhost" : hostname()),
    defaultText: "`localhost`; with a `host` that is not loopback, the machine's name",
    description: "name of this machine's node, in addresses of results",
  }),
  workers: setting({
    of: "both",
    flag: "-w, --workers <n>",
    env: "DISCO_WORKERS",
    key: "workers",
    type: wholeNumber(1, workersMax),
    default: () => availableParallelism(),
    defaultText: "the number of cores",
    description: "worker processes at once",
  }),
  labels: setting({
    of: "daemon",
    flag: "--labels <list>",
    env: "DISCO_LABELS",
    key: "labels",
    type: labels,
    default: () => ({}),
    description: "labels of the node, for jobs that ask for some: `gpu=a100,rack=3`",
  }),
  scheduler: setting({
    of: "daemon",
    flag: "--scheduler <policy>",
    env: "DISCO_SCHEDULER",
    key: "scheduler.policy",
    type: oneOf("fair", "fifo"),
    default: (): Policy => "fair",
    description: "`fair` shares the slots between jobs, `fifo` serves the oldest job first",
  }),
  schedulerAlpha: setting({
    of: "daemon",
    flag: "--scheduler-alpha <number>",
    env: "DISCO_SCHEDULER_ALPHA",
    key: "scheduler.alpha",
    type: fraction(0, 1),
    default: () => defaultAlpha,
    description: "how fast the fair policy forgets what a job has had; rarely worth a change",
  }),
  gcAfter: setting({
    of: "daemon",
    flag: "--gc-after <time>",
    env: "DISCO_GC_AFTER",
    key: "gc_after",
    type: durationOrNever,
    default: () => null,
    description: "jobs are purged so long after their end",
  }),
  diskReserve: setting({
    of: "daemon",
    flag: "--disk-reserve <size>",
    env: "DISCO_DISK_RESERVE",
    key: "disk_reserve",
    type: byteSize(0),
    default: () => defaultReserveBytes,
    description: "free space on the disk of a master or node below which it takes no jobs and no tasks",
  }),
  packMax: setting({
    of: "daemon",
    flag: "--pack-max <size>",
    env: "DISCO_PACK_MAX",
    key: "pack_max",
    type: byteSize(packBytesMin, packBytesMax),
    default: () => packBytesMax,
    description: "largest job pack that is taken",
  }),
  allowedHosts: setting({
    of: "daemon",
    flag: "--allowed-hosts <names>",
    env: "DISCO_ALLOWED_HOSTS",
    key: "allowed_hosts",
    type: hostNames,
    default: () => [],
    description: "names by which clients may address the server, besides its own addresses",
  }),
  trustedNetworks: setting({
    of: "daemon",
    flag: "--trusted-networks <networks>",
    env: "DISCO_TRUSTED_NETWORKS",
    key: "trusted_networks",
    type: networks,
    default: () => [],
    description: "networks (`10.1.0.0/16`) whose machines may do everything without a token",
  }),
  logLevel: setting({
    of: "daemon",
    flag: "--log-level <level>",
    env: "DISCO_LOG_LEVEL",
    key: "log_level",
    type: oneOf("trace", "debug", "info", "warn", "error", "silent"),
    default: (): LogLevel => "info",
    description: "how much the daemon logs: `trace`, `debug`, `info`, `warn`, `error`, `silent`",
  }),
  token: secret("DISCO_TOKEN", "token that allows everything (scope admin); commands and clients send it, too"),
  submitToken: secret(
    "DISCO_SUBMIT_TOKEN",
    "token that allows to look, and to start, kill and purge jobs (scope submit)",
  ),
  readToken: secret("DISCO_READ_TOKEN", "token that allows to look (scope read)"),
  tokenFile: file("--token-file <file>", "DISCO_TOKEN_FILE", "token_file", "DISCO_TOKEN"),
  submitTokenFile: file(
    "--submit-token-file <file>",
    "DISCO_SUBMIT_TOKEN_FILE",
    "submit_token_file",
    "DISCO_SUBMIT_TOKEN",
  ),
  readTokenFile: file("--read-token-file <file>", "DISCO_READ_TOKEN_FILE", "read_token_file", "DISCO_READ_TOKEN"),
  master: setting({
    of: "client",
    flag: "--master <address>",
    env: "DISCO_MASTER",
    key: "master",
    type: optional(masterAddress, "none"),
    default: () => null,
    defaultText: "commands: the daemon that runs on the root; else jobs run in the caller's process",
    description:
      "the master to talk to: `disco://host[:port]`, several of a cluster as `disco://a,b,c`, or `local`: jobs run in the caller's process",
  }),
  proxy: setting({
    of: "client",
    flag: null,
    env: "DISCO_PROXY",
    key: "proxy",
    type: optional(proxyAddress, "none"),
    default: () => null,
    description: "results are read through this address, usually the master's own: `http://host:port`",
  }),
  events: setting({
    of: "client",
    flag: null,
    env: "DISCO_EVENTS",
    key: "events",
    type: optional(text("1, json or nocolor"), "none"),
    default: () => null,
    description: "print events while waiting for a job: `1`, `json`, `nocolor`",
  }),
  retrySeconds: setting({
    of: "client",
    flag: null,
    env: "DISCO_RETRY_SECONDS",
    key: "retry_seconds",
    type: duration,
    default: () => defaultRetrySeconds,
    description: "how long a client tries again when the master does not answer",
  }),
  jobOwner: setting({
    of: "client",
    flag: null,
    env: "DISCO_JOB_OWNER",
    key: "job_owner",
    type: optional(text("one line of text"), "none"),
    default: () => null,
    defaultText: "`user@host`",
    description: "the owner that jobs are listed with",
  }),
  debug: setting({
    of: "both",
    flag: null,
    env: "DISCO_DEBUG",
    key: null,
    type: yesOrNo,
    default: () => false,
    description: "errors with their whole stack",
  }),
  ...ddfsTable,
  ...clusterTable,
};

export type SettingName = keyof typeof settingsTable;
export type SettingValues = {
  readonly [N in SettingName]: (typeof settingsTable)[N] extends Setting<infer T> ? T : never;
};

export const settingNames = Object.keys(settingsTable) as SettingName[];

/** The table's row, where which one does not matter. */
export function settingOf(name: SettingName): Setting<unknown> {
  return settingsTable[name];
}

/** As people write it: its key in `disco.toml`, else its variable. */
export function nameOf(name: SettingName): string {
  const { key, env } = settingOf(name);
  return key ?? env;
}

/** The flag alone: `--port`. */
export function flagOf({ flag }: Setting<unknown>): string | null {
  return flag === null ? null : (/--[a-z-]+/.exec(flag)?.[0] ?? null);
}

function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

function secret(env: string, description: string): Setting<string | null> {
  return { of: "both", flag: null, env, key: null, type: token, default: () => null, description, secret: true };
}

function file(flag: string, env: string, key: string, instead: string): Setting<string | null> {
  const type = optional(path, "none");
  const description = `file with the token, instead of \`${instead}\`; nobody else may be able to read it`;
  return { of: "both", flag, env, key, type, default: () => null, description };
}
