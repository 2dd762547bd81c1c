/** A node's requests to the bus of a master. */
import { once } from "node:events";
import { type Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { CommError } from "../errors.ts";
import { contentType, epochHeader, leaderHeader, servesHeader, sessionHeader } from "./http-stream.ts";

/** Who asks. */
export interface Asker {
  readonly host: string;
  /** Unique for each start of the node's process. */
  readonly session: string;
  /** Of the cluster. Sent in a header, never in a URL. */
  readonly token?: string;
  /** PEM: the authority that signed the masters' certificates, for `https:`. */
  readonly ca?: string;
}

export interface MasterCall extends Asker {
  readonly master: string;
  readonly method: "GET" | "HEAD" | "POST";
  readonly signal: AbortSignal;
  readonly body?: Uint8Array;
  readonly serves?: readonly string[];
  readonly agent?: Agent;
}

export interface MasterAnswer {
  readonly status: number;
  /** 0: it does not lead. */
  readonly epoch: number;
  readonly leader: string | null;
  /** Of a `GET` that went well: the stream. Else read already. */
  readonly response: IncomingMessage;
}

/** Connecting, sending, and the head of the answer. */
const patienceMs = 5_000;

/** @throws CommError `master-unreachable`, `not-allowed` */
export async function askMaster(call: MasterCall): Promise<MasterAnswer> {
  const { master, method, signal, body, serves = [], agent, host, session, token, ca } = call;
  const url = new URL(`bus/${encodeURIComponent(host)}`, master.endsWith("/") ? master : `${master}/`);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patienceMs);
  const abort = (): void => late.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) late.abort();
  try {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      method,
      signal: late.signal,
      ...(agent === undefined ? {} : { agent }),
      ...(ca === undefined ? {} : { ca }),
      headers: {
        [sessionHeader]: session,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(serves.length === 0 ? {} : { [servesHeader]: serves.join(",") }),
        ...(body === undefined ? {} : { "content-type": contentType, "content-length": String(body.byteLength) }),
      },
    });
    request.setNoDelay(true);
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const status = response.statusCode ?? 0;
    if (status === 401 || status === 403) {
      throw new CommError(`${master} does not take the token of this node`, {
        code: "not-allowed",
        retry: "never",
        hint: "Give masters and nodes the same token of the cluster, of scope admin.",
      });
    }
    if (method !== "GET" || status !== 200) {
      response.resume();
      await once(response, "end");
    }
    const leader = response.headers[leaderHeader];
    const epoch = Number(response.headers[epochHeader] ?? 0);
    return { status, epoch, leader: typeof leader === "string" ? leader : null, response };
  } catch (cause) {
    if (cause instanceof CommError) throw cause;
    throw new CommError(`cannot reach the master ${url.origin}`, { code: "master-unreachable", cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
