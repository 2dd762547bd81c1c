/**
 * Where replicas of a blob go: one a node, to those with most room. A node that has no room for more than it keeps in reserve, or
 * that is to be removed, gets none. Nodes that are asked for by name come first; those that were refused do not come at all.
 *
 * Among nodes with about the same room the choice turns with the blob, so that a hundred blobs pushed in the same second do not all
 * go to the node that was emptiest when it was last heard.
 */

/** What is known of a node that might take a replica. */
export interface Place {
  readonly host: string;
  /** Bytes that it has for blobs, as it said last. */
  readonly freeBytes: number;
  /** It is there, and garbage collection does not empty it. */
  readonly takes: boolean;
}

export interface Wanted {
  /** Different nodes. */
  readonly replicas: number;
  /** Nodes that must have one, whatever their room. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Any number that differs from blob to blob. */
  readonly turn: number;
  /** Nodes with less room than this come last. Bytes. */
  readonly reserveBytes: number;
}

/** Nodes whose room is within this factor of the roomiest share blobs by turns. */
const similarRoom = 0.8;

/** Nodes for the replicas, the best first; fewer than `replicas` when there are not more that take any. */
export function placeReplicas(places: readonly Place[], wanted: Wanted): string[] {
  const { replicas, include = [], exclude = [], turn, reserveBytes } = wanted;
  const open = places.filter(({ host, takes }) => takes && !exclude.includes(host));
  const asked = [...new Set(include)].filter((host) => open.some((place) => place.host === host));
  const others = open
    .filter(({ host }) => !asked.includes(host))
    .sort((a, b) => b.freeBytes - a.freeBytes || (a.host < b.host ? -1 : 1));
  const roomy = others.filter(({ freeBytes }) => freeBytes >= reserveBytes);
  const tight = others.filter(({ freeBytes }) => freeBytes < reserveBytes);
  const most = roomy[0]?.freeBytes ?? 0;
  const alike = roomy.filter(({ freeBytes }) => freeBytes >= most * similarRoom);
  const from = alike.length === 0 ? 0 : Math.abs(Math.trunc(turn)) % alike.length;
  const turned = [...alike.slice(from), ...alike.slice(0, from), ...roomy.slice(alike.length), ...tight];
  return [...asked, ...turned.map(({ host }) => host)].slice(0, Math.max(replicas, asked.length));
}
