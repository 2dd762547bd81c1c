/**
 * Whether a node that has joined can fetch from its master. It joins over the bus, which has rights of its own: with another token than
 * the master's, or without a way to what that advertises, it would be given tasks and fail each of them, and only the master's log
 * would say why. It stays in nevertheless: while tokens are changed one machine after the other, what runs is not to be lost.
 */
import { CommError, DiscoError } from "../errors.ts";
import { Peers, type PeersOptions } from "./fetch/peers.ts";

const patienceMs = 5_000;

export type AccessParts = Pick<PeersOptions, "token" | "ca"> & { readonly signal: AbortSignal };

/** What keeps it from its master, `not-allowed` or `peer-unreachable`; `null`: nothing does, or it was stopped. */
export async function whyNoAccess(masterUrl: string, { signal, ...how }: AccessParts): Promise<DiscoError | null> {
  const peers = new Peers({ urlOf: () => undefined, ...how });
  try {
    const url = `${masterUrl.replace(/\/+$/, "")}/api/v1/master`;
    const both = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const response = await peers.ask(url, { method: "GET", signal: both });
    response.on("error", () => undefined).destroy();
    if (response.statusCode !== 401 && response.statusCode !== 403) return null;
    return new DiscoError(`the master at ${masterUrl} does not take the token of this node`, {
      code: "not-allowed",
      hint: "Give masters and nodes the same token of the cluster (DISCO_TOKEN, DISCO_TOKEN_FILE), and start them again.",
    });
  } catch (error) {
    if (signal.aborted) return null;
    const reason = error instanceof CommError ? error.message : String(error);
    return new DiscoError(reason, {
      code: "peer-unreachable",
      cause: error,
      hint: "It is what the master advertises: set --advertise (DISCO_ADVERTISE) there to an address that nodes reach, or look at TLS.",
    });
  } finally {
    peers.close();
  }
}
