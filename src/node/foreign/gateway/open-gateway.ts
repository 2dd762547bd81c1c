/** The gateway of a node, put together from what the node is given: in a cluster, or beside the only master. */
import type { OwnBlobs } from "../../ddfs/own-blobs.ts";
import { Peers } from "../../fetch/peers.ts";
import type { OwnMaster, RemoteAccess } from "../../node-options.ts";
import { Gateway, type GatewayParts } from "./gateway.ts";
import { distantDoor } from "./master-door.ts";

export interface GatewayOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly blobs?: OwnBlobs | undefined;
  /** Base URLs of the data servers of all nodes, by name. */
  readonly nodes: () => Readonly<Record<string, string>>;
  readonly remote?: RemoteAccess | undefined;
  /** Base URL of the master that leads. */
  readonly masterUrl: () => string | null;
  readonly ownMaster?: (() => Promise<OwnMaster>) | undefined;
  /** Other than the usual one, in tests. */
  readonly patience?: GatewayParts["patience"];
}

/**
 * To one server at once. Workers read as slowly as they like, each input on its own line, and those that merge read from all of them in
 * turn: where one has to wait until another is read to its end, it waits for ever.
 */
const connectionsMax = 1_000;

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { dataDir, host, blobs, nodes, remote, masterUrl, ownMaster, patience } = options;
  const urlOf = (node: string): string | undefined => (Object.hasOwn(nodes(), node) ? nodes()[node] : undefined);
  const peers = new Peers({ urlOf, ...remote, connectionsMax });
  const parts = { dataDir, host, blobs, nodes, peers, patience };
  if (ownMaster === undefined) {
    const door = distantDoor(masterUrl, peers);
    return new Gateway({ ...parts, door: () => Promise.resolve(door) });
  }
  const { door, formerHosts } = await ownMaster();
  return new Gateway({ ...parts, formerHosts, door: () => Promise.resolve(door) });
}
