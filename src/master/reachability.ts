/**
 * Whether a node is where it says that others reach it. A node that joined with a wrong address would be given tasks, and all that it
 * writes would be lost to whoever reads it: so it is asked for there before it is let in, and told what is wrong.
 *
 * Only when it is new here: one that the journal has as connected may be known to a master that has just taken over, and a way that is
 * broken for a moment must not cost what runs there.
 */
import { DiscoError } from "../errors.ts";
import type { Peers } from "../node/fetch/peers.ts";
import type { NodeHello } from "../protocol/messages.ts";

const patienceMsDefault = 5_000;

export interface Asking {
  readonly peers: Pick<Peers, "ask">;
  /** How long an answer is waited for, in milliseconds. Default: 5,000. */
  readonly patienceMs?: number;
}

/** Any answer will do. @throws DiscoError `node-unreachable` */
export async function assertReachable(
  { host, url }: NodeHello,
  { peers, patienceMs = patienceMsDefault }: Asking,
): Promise<void> {
  if (url === undefined) return;
  try {
    const reply = await peers.ask(`${url}/healthz`, { method: "GET", signal: AbortSignal.timeout(patienceMs) });
    reply.destroy();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiscoError(`node ${host} says that others reach it at ${url}, and this master does not: ${why}`, {
      code: "node-unreachable",
      retry: "here",
      node: host,
      cause,
      hint:
        "Start it with --advertise http://host:port (DISCO_ADVERTISE): an address at which masters and other nodes reach it, " +
        "past any firewall.",
    });
  }
}
