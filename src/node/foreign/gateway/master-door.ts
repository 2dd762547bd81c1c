/** The way to the master for what workers ask of DDFS: over HTTP to whoever leads, or to the master of this process. */
import type { IncomingMessage } from "node:http";
import { CommError } from "../../../errors.ts";
import type { PeerRequest, Peers } from "../../fetch/peers.ts";

export interface MasterRequest {
  readonly method: PeerRequest["method"];
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  readonly signal: AbortSignal;
}

/** The answer, once its head is here. Throws `CommError` where nobody answers now. */
export type MasterDoor = (request: MasterRequest) => Promise<IncomingMessage>;

/** `url`: base URL of the master that leads; `null`: none is known. */
export function distantDoor(url: () => string | null, peers: Pick<Peers, "ask">): MasterDoor {
  return async ({ path, body, ...request }) => {
    const base = url();
    if (base === null) throw new CommError("no master is known to lead", { code: "no-leader", retry: "here" });
    return await peers.ask(base.replace(/\/+$/, "") + path, { ...request, ...(body === null ? {} : { body }) });
  };
}
