/** The settings of masters and nodes of a cluster (`table.ts` has the others). */

import { engineAddress, journalAddress, monitorAddresses, serverUrl } from "./cluster-addresses.ts";
import { clusterName } from "./cluster-name.ts";
import { duration } from "./quantities.ts";
import type { Setting } from "./table.ts";
import { optional, path, paths, text, yesOrNo } from "./value-type.ts";

const defaultSuspectSeconds = 3;
const defaultDeadSeconds = 15;
const none = () => null;

export const clusterTable = {
  engine: row({
    flag: "--engine <url>",
    env: "DISCO_ENGINE",
    key: "engine",
    type: optional(engineAddress, "none"),
    default: none,
    description:
      "what masters and nodes talk over: `nats://a,b,c` (or `tls://a,b,c`); for nodes without NATS, the masters: `http://m1:8989,m2:8989`",
    delicate: true,
  }),
  cluster: row({
    flag: "--cluster <name>",
    env: "DISCO_CLUSTER",
    key: "cluster",
    type: clusterName,
    default: () => "disco",
    description: "name of the cluster; several may share an engine",
  }),
  journal: row({
    flag: "--journal <url>",
    env: "DISCO_JOURNAL",
    key: "journal",
    type: optional(journalAddress, "none"),
    default: none,
    defaultText: "the engine keeps it",
    description: "where masters keep the journal: `postgres://user@host/database`",
    delicate: true,
  }),
  advertise: row({
    flag: "--advertise <url>",
    env: "DISCO_ADVERTISE",
    key: "advertise",
    type: optional(serverUrl, "none"),
    default: none,
    defaultText: "the machine's name, or the address it listens at",
    description: "by which others reach this master or node: `http://host:port`",
  }),
  volumes: row({
    flag: "--volumes <folders>",
    env: "DISCO_VOLUMES",
    key: "volumes",
    type: paths,
    default: (): readonly string[] => [],
    defaultText: "below the root",
    description: "folders for the node's data, separated by commas: the first for jobs and blobs, others for blobs",
  }),
  suspectAfter: row({
    flag: "--suspect-after <time>",
    env: "DISCO_SUSPECT_AFTER",
    key: "suspect_after",
    type: duration,
    default: () => defaultSuspectSeconds,
    description: "a node that is silent for so long gets no new tasks",
  }),
  deadAfter: row({
    flag: "--dead-after <time>",
    env: "DISCO_DEAD_AFTER",
    key: "dead_after",
    type: duration,
    default: () => defaultDeadSeconds,
    description: "a node that is silent for so long is lost: its tasks go to others",
  }),
  tlsCert: file("--tls-cert <file>", "DISCO_TLS_CERT", "tls_cert", "certificate (PEM) that this server shows"),
  tlsKey: file("--tls-key <file>", "DISCO_TLS_KEY", "tls_key", "key (PEM) of that certificate"),
  tlsCa: file(
    "--tls-ca <file>",
    "DISCO_TLS_CA",
    "tls_ca",
    "certificates (PEM) of who may sign those of masters and nodes",
  ),
  engineCreds: file("--engine-creds <file>", "DISCO_ENGINE_CREDS", "engine_creds", "credentials file of NATS"),
  engineCa: file(
    "--engine-ca <file>",
    "DISCO_ENGINE_CA",
    "engine_ca",
    "certificates (PEM) of who may sign the engine's",
  ),
  engineCert: file(
    "--engine-cert <file>",
    "DISCO_ENGINE_CERT",
    "engine_cert",
    "certificate (PEM) that this machine shows to servers of NATS that want one",
  ),
  engineKey: file("--engine-key <file>", "DISCO_ENGINE_KEY", "engine_key", "key (PEM) of that certificate"),
  engineMonitor: row({
    flag: "--engine-monitor <urls>",
    env: "DISCO_ENGINE_MONITOR",
    key: "engine_monitor",
    type: optional(monitorAddresses, "none"),
    default: none,
    description:
      "monitoring pages of all servers of NATS, `http://a:8222,b:8222`: they tell masters whether the journal survives a loss of power",
  }),
  engineUser: row({
    flag: null,
    env: "DISCO_ENGINE_USER",
    key: "engine_user",
    type: optional(text("one line of text"), "none"),
    default: none,
    description: "user at the engine",
  }),
  enginePassword: row({
    flag: null,
    env: "DISCO_ENGINE_PASSWORD",
    key: null,
    type: { ...optional(text("one line of text"), "none"), show: (value) => (value === null ? "none" : "set") },
    default: none,
    description: "password of that user",
    secret: true,
  }),
  allowOldEngine: row({
    flag: "--allow-old-engine",
    env: "DISCO_ALLOW_OLD_ENGINE",
    key: "allow_old_engine",
    type: yesOrNo,
    default: () => false,
    description: "work with an engine that is older than what is recommended",
  }),
};

function row<T>(setting: Omit<Setting<T>, "of">): Setting<T> {
  return { of: "cluster", ...setting };
}

function file(flag: string, env: string, key: string, description: string): Setting<string | null> {
  return row({ flag, env, key, type: optional(path, "none"), default: none, description });
}
