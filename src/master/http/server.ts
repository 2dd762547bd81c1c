/** The daemon's HTTP server: where it listens, and how it ends. What a request passes through is in `front.ts`. */
import type { ServerResponse } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { promisify } from "node:util";
import { BodyWatch } from "../../http/body-watch.ts";
import { defaultLimits, type HttpLimits } from "../../http/limits.ts";
import { assertGuarded, listen, urlOf } from "../../http/listen.ts";
import { type Certificate, createServerFor } from "../../http/plain-or-tls.ts";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import type { Leading } from "../leading.ts";
import type { Log } from "../log.ts";
import type { ServedMaster } from "../served-master.ts";
import { answerParserError } from "./client-error.ts";
import { Front } from "./front.ts";
import type { Handler } from "./handler.ts";
import { LimitedLog } from "./limited-log.ts";
import { Metrics } from "./metrics.ts";

export interface HttpParts {
  readonly master: ServedMaster;
  readonly settings: Pick<
    DaemonSettings,
    "host" | "port" | "node" | "tokens" | "allowedHosts" | "trustedNetworks" | "packBytesMax"
  >;
  /** Unique for each start of the daemon. */
  readonly instance: string;
  readonly log: Log;
  /** `/api/v1/…` */
  readonly api?: Handler;
  /** `/bus/NODE`: nodes of a cluster without NATS. Asked with a token of scope admin. */
  readonly bus?: Handler;
  /** `/disco/NODE/hh/JOB/…` and the same below `/proxy/NODE/METHOD/`. */
  readonly data?: Handler;
  /** Why the daemon is not ready, e.g. `starting`; `null` when it is. What the master itself tells is asked anyway. */
  readonly unready?: () => string | null;
  readonly limits?: Partial<HttpLimits>;
  /** Where several masters serve one cluster: which of them leads. Requests that are the leader's are taken there. */
  readonly leading?: Leading;
  /** Whom to believe where the leader speaks TLS. Default: the authorities that Node knows. */
  readonly leaderTls?: SecureContextOptions;
  /** Default: plain HTTP. */
  readonly tls?: Certificate | undefined;
}

export interface HttpServer {
  /** Base URL, as clients on this machine reach it. */
  readonly url: string;
  readonly port: number;
  /**
   * No new requests; those that wait for something are told (`Caller.closing`), short ones have some seconds to end; then every
   * connection is cut. Resolves when nothing listens and nothing is being answered.
   */
  close(): Promise<void>;
}

/**
 * Serves the master.
 * @throws DiscoError `token-needed`, `port-in-use`, `port-forbidden`, `bad-host`, `bad-certificate`
 */
export async function serveHttp(parts: HttpParts): Promise<HttpServer> {
  const { settings, log, master } = parts;
  const { host } = settings;
  await assertGuarded(
    host,
    Object.values(settings.tokens).some((token) => token !== undefined),
  );
  const limits: HttpLimits = { ...defaultLimits, ...parts.limits };
  const server = createServerFor(parts.tls, limits);
  const metrics = await Metrics.open(master, () => promisify(server.getConnections.bind(server))());
  const watch = new BodyWatch(limits);
  const strangers = new LimitedLog(log);
  const front = new Front({ ...parts, limits, metrics, watch, strangers });
  server.maxConnections = limits.connectionsMax;
  // One more than allowed is kept, so that too many are noticed.
  server.maxHeadersCount = limits.headersMax + 1;
  server.on("request", (request, response) => void front.take(request, response));
  server.on("checkContinue", (request, response) => void front.take(request, response, { awaitsContinue: true }));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    metrics.refused("bad-request");
    log.debug({ code: error.code, address: "remoteAddress" in socket ? socket.remoteAddress : "" }, "bad request");
    answerParserError(error, socket, front.open);
  });
  server.on("drop", () => {
    metrics.refused("too-many-connections");
    strangers.warn({ connectionsMax: limits.connectionsMax }, "too many connections");
  });
  const forget = (): void => {
    watch.close();
    metrics.close();
  };
  const port = await listen(server, host, settings.port).catch((error: unknown) => {
    forget();
    throw error;
  });
  const url = urlOf(host, port, parts.tls === undefined ? "http" : "https");

  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    front.close();
    server.closeIdleConnections();
    // Those that end by themselves have done so by then; other streams would never.
    setImmediate(() => {
      for (const response of front.open) if (isEventStream(response)) response.destroy();
    });
    const timer = setTimeout(() => server.closeAllConnections(), limits.closeGraceMs);
    await ended;
    clearTimeout(timer);
    forget();
    log.info({ url }, "no longer serving");
  };
  let closing: Promise<void> | undefined;
  return { url, port, close: () => (closing ??= close()) };
}

function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader("content-type")).startsWith("text/event-stream");
}
