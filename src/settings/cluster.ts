/** The settings of a master or a node of a cluster: those of a daemon, and what it needs to find the others. */
import { hostname } from "node:os";
import { DiscoError } from "../errors.ts";
import { isLoopback } from "./addresses.ts";
import type { Engine } from "./cluster-addresses.ts";
import { daemonOf, type ResolvedDaemon } from "./daemon.ts";
import type { DaemonSettings } from "./daemon-settings.ts";
import { resolveSettings, type SettingSources } from "./resolve.ts";
import type { SettingValues } from "./table.ts";

export type Role = "master" | "node";

export interface ClusterSettings extends DaemonSettings {
  /** `null`: a master that carries the messages itself, with a journal on PostgreSQL. `DISCO_ENGINE`. */
  readonly engine: Engine | null;
  readonly engineAccess: EngineAccess;
  /** Base URLs of the monitoring pages of NATS. `DISCO_ENGINE_MONITOR`; default: none. */
  readonly engineMonitors: readonly string[];
  /** Works with an engine below the version floor. `DISCO_ALLOW_OLD_ENGINE`. */
  readonly allowOldEngine: boolean;
  /** Name of the cluster at the engine. `DISCO_CLUSTER`; default `disco`. */
  readonly cluster: string;
  /** `postgres://…`; `null`: on the engine. `DISCO_JOURNAL`. */
  readonly journal: string | null;
  /** Base URL by which others reach it; `null`: by its name and port. `DISCO_ADVERTISE`. */
  readonly advertise: string | null;
  /** Absolute path of the node's data; `null`: below the root. The first of `DISCO_VOLUMES`. */
  readonly dataDir: string | null;
  /** Absolute paths of folders for blobs on other disks: the rest of `DISCO_VOLUMES`. */
  readonly blobFolders: readonly string[];
  /** `DISCO_SUSPECT_AFTER`, `DISCO_DEAD_AFTER`; defaults 3 s and 15 s. */
  readonly suspicionMs: number;
  readonly deathMs: number;
  /** Absolute paths of PEM files. `DISCO_TLS_CERT`, `DISCO_TLS_KEY`, `DISCO_TLS_CA`. */
  readonly tls: { readonly cert: string | null; readonly key: string | null; readonly ca: string | null };
}

/**
 * `DISCO_ENGINE_USER`, `DISCO_ENGINE_PASSWORD`, `DISCO_ENGINE_CREDS`, `DISCO_ENGINE_CA`, `DISCO_ENGINE_CERT`, `DISCO_ENGINE_KEY`: each
 * `null` if it is not set; the last two together.
 */
export interface EngineAccess {
  readonly user: string | null;
  readonly password: string | null;
  readonly credsFile: string | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

export interface ResolvedCluster extends Omit<ResolvedDaemon, "settings"> {
  readonly settings: ClusterSettings;
}

/** So that a master and a node on one machine need no setting for it. */
const defaultNodePort = 8990;

/** @throws DiscoError `bad-config-file`, `bad-setting`, `token-needed`, `engine-needed` */
export function resolveClusterSettings(role: Role, sources: SettingSources): ResolvedCluster {
  const resolved = resolveSettings("cluster", sources);
  const { values, origins } = resolved;
  assertEngine(role, values);
  assertTimes(values);
  assertTls(values);
  // On a loopback address the name would be `localhost`, which several nodes of one engine cannot have.
  const node = origins.node.kind === "default" && isLoopback(values.host) ? nameOfMachine() : values.node;
  const port = role === "node" && origins.port.kind === "default" ? defaultNodePort : values.port;
  const daemon = daemonOf({ ...resolved, values: { ...values, node, port } });
  const settings: ClusterSettings = {
    ...daemon.settings,
    engine: values.engine,
    engineAccess: {
      user: values.engineUser,
      password: values.enginePassword,
      credsFile: values.engineCreds,
      caFile: values.engineCa,
      certFile: values.engineCert,
      keyFile: values.engineKey,
    },
    engineMonitors: values.engineMonitor ?? [],
    allowOldEngine: values.allowOldEngine,
    cluster: values.cluster,
    journal: values.journal,
    advertise: values.advertise,
    dataDir: values.volumes[0] ?? null,
    blobFolders: values.volumes.slice(1),
    suspicionMs: values.suspectAfter * 1_000,
    deathMs: values.deadAfter * 1_000,
    tls: { cert: values.tlsCert, key: values.tlsKey, ca: values.tlsCa },
  };
  return { ...daemon, settings };
}

function assertEngine(role: Role, { engine, journal }: SettingValues): void {
  if (role === "node" && engine === null) {
    throw new DiscoError("a node needs to know over what it reaches its masters", {
      code: "engine-needed",
      hint: "Give the servers of NATS (--engine nats://a,b,c), or without NATS the masters (--engine http://m1:8989,m2:8989).",
    });
  }
  if (role === "master" && engine?.kind === "http") {
    throw new DiscoError("engine names masters: that is for nodes", {
      code: "bad-setting",
      hint: "A master is given the servers of NATS (--engine nats://a,b,c), or --journal postgres://… alone.",
    });
  }
  if (role === "master" && engine === null && journal === null) {
    throw new DiscoError("a master of a cluster needs an engine, or a journal on PostgreSQL", {
      code: "engine-needed",
      hint: "Give --engine nats://a,b,c, or --journal postgres://…; for one machine alone there is `disco start`.",
    });
  }
}

function assertTimes({ suspectAfter, deadAfter }: SettingValues): void {
  // A heartbeat comes once a second; it may be late, and one may be lost.
  if (suspectAfter >= 1.5 && deadAfter > suspectAfter) return;
  throw new DiscoError(`suspect_after is ${suspectAfter} s and dead_after ${deadAfter} s`, {
    code: "bad-setting",
    hint: "suspect_after has to be at least 1.5s, as nodes speak once a second, and dead_after longer than that.",
  });
}

function assertTls({ tlsCert, tlsKey, engineCert, engineKey }: SettingValues): void {
  for (const [name, cert, key] of [
    ["tls", tlsCert, tlsKey],
    ["engine", engineCert, engineKey],
  ] as const) {
    if ((cert === null) === (key === null)) continue;
    throw new DiscoError(`${cert === null ? `${name}_key` : `${name}_cert`} is set without the other`, {
      code: "bad-setting",
      hint: `A certificate and its key are set together: --${name}-cert FILE --${name}-key FILE.`,
    });
  }
}

/** Its name, as a node may be called. */
function nameOfMachine(): string {
  return hostname().replace(/[^A-Za-z0-9._-]/g, "-") || "node";
}
