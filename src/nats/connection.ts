/**
 * A process's connection to NATS: one for its journal, bus, lease and lines. It connects again for ever, to any of the servers; what
 * is asked meanwhile ends in a time-out, which every port takes for "unknown".
 *
 * A connection that is dead without being closed (a cable, a firewall, a paused server) is noticed by pings, within
 * `pingIntervalMs` × (`pingsMax` + 1). Secrets come from settings or files and are in no message of ours.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { MsgHdrs, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { DiscoError } from "../errors.ts";
import { type NatsAddress, parseNatsAddress } from "./address.ts";
import { noAnswer, refusalOf } from "./dial-failure.ts";
import { type NatsTls, tlsOptions } from "./tls.ts";
import { checkServerVersion } from "./version.ts";

const reconnectWaitMs = 250;
const dialTimeoutMs = 2_000;
const pingIntervalMs = 1_000;
const pingsMax = 3;
const waitByDefaultMs = 10_000;
export const clusterByDefault = "disco";

export interface NatsSettings {
  /** `nats://a,b,c`, `tls://…`; may have a user and password, or a token. */
  readonly url: string;
  /** Of the cluster, when several share the servers: letters, digits, `-`, `_`. Default: `disco`. */
  readonly cluster?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** A `.creds` file (JWT and key). Read at each connection, so that it may be renewed. */
  readonly credsFile?: string;
  readonly tls?: NatsTls;
  /** Take servers older than `oldestServer`. */
  readonly allowOldEngine?: boolean;
  /** Who connects, as the servers list it and as one part of the subjects of its inbox: a node's `part(host)`. */
  readonly name: string;
  /** How long to try to reach the first server. Default: 10 s. */
  readonly waitMs?: number;
  /** Is told what happens to the connection, a line each time. */
  readonly onNotice?: (line: string) => void;
}

export interface NatsEngine {
  readonly connection: NatsConnection;
  readonly cluster: string;
  /** `dj.CLUSTER.` */
  readonly prefix: string;
  /** `dj.CLUSTER.inbox.NAME`: below it come all replies. */
  readonly inbox: string;
  /** Version of the server that it is connected to. */
  readonly version: string;
  /** Address without secrets. */
  readonly shown: string;
  /** How many servers there are, as far as is known: those of the address and those that the servers tell of. */
  servers(): number;
  headers(): MsgHdrs;
  close(): Promise<void>;
}

/**
 * @throws DiscoError `bad-address`, `bad-cluster`, `bad-certificate` (our files), `engine-refused` (user, password, token, creds, the
 *   server's certificate), `engine-too-old`
 * @throws CommError `engine-unreachable`
 */
export async function openNats(settings: NatsSettings): Promise<NatsEngine> {
  const address = parseNatsAddress(settings.url);
  const cluster = settings.cluster ?? clusterByDefault;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(cluster)) {
    throw new DiscoError(`"${cluster}" cannot be the name of a cluster`, {
      code: "bad-cluster",
      hint: "Use letters, digits, - and _, at most 64.",
    });
  }
  const prefix = `dj.${cluster}.`;
  const inbox = `${prefix}inbox.${settings.name}`;
  const client = await import("@nats-io/transport-node");
  const connection = await dial(client.connect, address, settings, {
    ...authentication(settings, address, client),
    inboxPrefix: inbox,
  });
  try {
    checkServerVersion(connection.info?.version ?? "0", settings.allowOldEngine === true);
  } catch (error) {
    await connection.close();
    throw error;
  }
  void tell(connection, settings.onNotice);
  return {
    connection,
    cluster,
    prefix,
    inbox,
    shown: address.shown,
    get version() {
      return connection.info?.version ?? "";
    },
    servers: () => Math.max(address.servers.length, connection.info?.connect_urls?.length ?? 0),
    headers: () => client.headers(),
    close: () => connection.close(),
  };
}

async function dial(
  connect: (options: NodeConnectionOptions) => Promise<NatsConnection>,
  address: NatsAddress,
  settings: NatsSettings,
  more: NodeConnectionOptions,
): Promise<NatsConnection> {
  const options: NodeConnectionOptions = {
    servers: [...address.servers],
    name: `disco ${settings.name}`,
    maxReconnectAttempts: -1,
    // A user that was changed in the servers and changed back must not end a node for good.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: reconnectWaitMs,
    timeout: dialTimeoutMs,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsMax,
    noAsyncTraces: true,
    ...more,
  };
  const { waitMs = waitByDefaultMs } = settings;
  const untilMs = performance.now() + waitMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- One try after the other.
      return await connect(options);
    } catch (cause) {
      const refusal = refusalOf(cause, address);
      if (refusal !== null) throw refusal;
      if (performance.now() >= untilMs) throw noAnswer(cause, address, waitMs);
    }
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await delay(reconnectWaitMs);
  }
}

function authentication(
  settings: NatsSettings,
  address: NatsAddress,
  client: typeof import("@nats-io/transport-node"),
): NodeConnectionOptions {
  const { credsFile } = settings;
  const [user, password] = [settings.user ?? address.user, settings.password ?? address.password];
  const token = settings.token ?? address.token;
  const tls = settings.tls ?? (address.tls ? {} : undefined);
  return {
    ...(tls === undefined ? {} : { tls: tlsOptions(tls, address) }),
    ...(credsFile === undefined
      ? user !== undefined && password !== undefined
        ? { user, pass: password }
        : token === undefined
          ? {}
          : { token }
      : { authenticator: client.credsAuthenticator(() => readCreds(credsFile)) }),
  };
}

function readCreds(file: string): Uint8Array {
  const details = {
    code: "engine-refused",
    hint: "Give a file that nsc or your operator made, readable by the user of this process.",
  };
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (cause) {
    throw new DiscoError(`the creds file ${file} of the NATS engine cannot be read`, { ...details, cause });
  }
  if (/BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/.test(text.toString("latin1"))) return text;
  throw new DiscoError(`the file ${file} has no credentials for NATS: a user's JWT and its key`, details);
}

async function tell(connection: NatsConnection, onNotice: ((line: string) => void) | undefined): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") onNotice?.("the connection to the NATS engine is lost, connecting again");
    if (status.type === "reconnect") onNotice?.(`connected to the NATS engine again, at ${status.server}`);
    // Without the error's text, which may tell more than people who read logs should know.
    if (status.type === "error") onNotice?.(`the NATS engine says: ${status.error.name}`);
  }
}
