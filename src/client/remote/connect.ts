/** The way to a master elsewhere. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommError, DiscoError } from "../../errors.ts";
import { getMaster } from "../../protocol/api/master.ts";
import { listNodes } from "../../protocol/api/nodes.ts";
import { type DaemonRecord, daemonRecordName } from "../../settings/daemon-settings.ts";
import type { MasterAddress } from "../address.ts";
import { rememberRoot } from "../data-place.ts";
import type { MasterApi, MasterInfo } from "../master-api.ts";
import { rememberNodes, rememberServer, rememberServers } from "../servers.ts";
import { otherVersion } from "./failures.ts";
import { type Locate, Questions } from "./questions.ts";
import { RemoteMaster } from "./remote-master.ts";

export interface ConnectOptions {
  readonly token?: string | undefined;
  /** How long to ask again after a failure; 0: not at all. Default 120. */
  readonly retrySeconds?: number | undefined;
}

export const retrySecondsDefault = 120;
const nodesPatienceMs = 2_000;

/**
 * Connects to a master, of several to the first that answers: it has when this resolves.
 * @throws CommError when nobody answers within a few seconds (`comm-error`), or somebody who is no master or asks for a token:
 *   `not-disco`, `version-mismatch`, `tls`, `unauthorized`, `forbidden`
 */
export async function connectMaster(address: MasterAddress, options: ConnectOptions = {}): Promise<MasterApi> {
  const { urls, shown, isHere } = address;
  const { token, retrySeconds = retrySecondsDefault } = options;
  const questions = new Questions({ urls, shown, token, retryMs: retrySeconds * 1000 });
  let info: MasterInfo;
  try {
    info = await questions.ask(getMaster);
  } catch (error) {
    const reason = await explained(error, questions);
    questions.close();
    throw reason;
  }
  // Results are read without this object, also when it is closed.
  const moved = rememberServers(urls, { token });
  moved(questions.url);
  questions.onMove(moved);
  if (info.role !== undefined) await learnNodes(questions);
  const record = isHere ? await recordOf(info.root) : null;
  if (record?.instance === info.instance) {
    rememberRoot(info.root);
    // A server that speaks TLS on this machine stands before the daemon, and stays where it is.
    if (urls.length === 1 && urls[0].startsWith("http:")) questions.locateBy(locator(info.root, record.url, token));
  }
  return new RemoteMaster(questions);
}

/** Of a cluster: where its nodes are, for results. Without an answer soon, results come through the master. */
async function learnNodes(questions: Questions): Promise<void> {
  try {
    const { nodes } = await questions.ask(listNodes, { signal: AbortSignal.timeout(nodesPatienceMs) });
    rememberNodes(questions.url, nodes);
  } catch {
    // Who asks the master for something that he needs will hear what is wrong.
  }
}

/**
 * What the daemon of a root on this machine says of itself, if this user may read it: then its results are files, read without a
 * detour. A loopback address alone may be the near end of a tunnel; the same `instance` tells.
 */
async function recordOf(root: string): Promise<Partial<DaemonRecord> | null> {
  try {
    return JSON.parse(await readFile(join(root, daemonRecordName), "utf8")) as Partial<DaemonRecord> | null;
  } catch {
    return null;
  }
}

/** A daemon that was started with `--port 0` is at another port after each start; one that says nothing new is where it was. */
function locator(root: string, first: string | undefined, token: string | undefined): Locate {
  let known = first;
  return async () => {
    const { url } = (await recordOf(root)) ?? {};
    if (typeof url !== "string" || url === known || !url.startsWith("http:")) return null;
    known = url;
    rememberServer(url, { token });
    return url.replace(/\/+$/, "");
  };
}

/** A master without our API may be Disco itself, or an older one of ours: both tell their version. */
async function explained(error: unknown, questions: Questions): Promise<unknown> {
  const isMissing =
    error instanceof DiscoError &&
    (error.code === "not-found" || (error instanceof CommError && error.code === "not-disco"));
  if (!isMissing) return error;
  try {
    const { status, body } = await questions.raw({ method: "GET", path: "/disco/version" }, false);
    const version: unknown = status === 200 ? JSON.parse(Buffer.from(body).toString("utf8")) : null;
    if (typeof version !== "string") return error;
    return otherVersion(
      questions.options.shown,
      `it speaks the protocols of Disco ${version.slice(0, 20)}, but not this API`,
    );
  } catch {
    return error;
  }
}
